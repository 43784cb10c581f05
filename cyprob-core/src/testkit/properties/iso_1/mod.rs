//! ISO-1.

mod house;

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use self::house::{House, Ids, houses};
use super::cases;
use crate::domain::{PageRequest, RoleName};
use crate::ports::store::{IdentityStore, OrgUpdate};
use crate::testkit::Tally;
use crate::testkit::site::parsed;

/// Whose ids a call takes.
#[derive(Clone, Copy, Debug)]
enum Whose {
    Own,
    /// The other organization's.
    Others,
    /// Those of a person whom both may have.
    Shared,
}

/// A call of an organization's owner, or of a member for a token.
#[derive(Clone, Debug)]
enum Call {
    Members(u8),
    Invitations(u8),
    Sessions(u8),
    Org,
    Rename(u8),
    /// Invites an address that may have an account, which only the other organization knows.
    Invite {
        number: u8,
        known_elsewhere: bool,
    },
    RevokeInvitation(Whose),
    SetRole(Whose, RoleName),
    Remove(Whose),
    EndSession(Whose),
    Token(Whose),
}

fn call() -> impl Strategy<Value = Call> {
    let whose =
        || prop_oneof![3 => Just(Whose::Own), 3 => Just(Whose::Others), 2 => Just(Whose::Shared)];
    let role = prop_oneof![
        Just(RoleName::ANALYST),
        Just(RoleName::OPERATOR),
        Just(RoleName::ADMIN)
    ];
    let invite = |(number, known_elsewhere)| Call::Invite {
        number,
        known_elsewhere,
    };
    prop_oneof![
        1 => (1_u8..4).prop_map(Call::Members),
        1 => (1_u8..4).prop_map(Call::Invitations),
        1 => (1_u8..4).prop_map(Call::Sessions),
        1 => Just(Call::Org),
        1 => any::<u8>().prop_map(Call::Rename),
        2 => (0_u8..2, any::<bool>()).prop_map(invite),
        2 => prop_oneof![Just(Whose::Own), Just(Whose::Others)].prop_map(Call::RevokeInvitation),
        2 => (whose(), role).prop_map(|(whose, role)| Call::SetRole(whose, role)),
        2 => whose().prop_map(Call::Remove),
        2 => whose().prop_map(Call::EndSession),
        2 => whose().prop_map(Call::Token),
    ]
}

/// What the other organization has and does.
#[derive(Clone, Debug)]
struct Beside {
    /// How many members more than one.
    further: u8,
    /// Whether the shared person is a member there.
    shared: bool,
    calls: Vec<Call>,
}

/// What one organization does, and two different things beside it.
fn script() -> impl Strategy<Value = (Vec<Call>, Beside, Beside)> {
    let calls = |range| prop::collection::vec(call(), range);
    let (ours, less, more) = (calls(4..14), calls(0..4), calls(4..12));
    (ours, less, 0_u8..2, more, 2_u8..4).prop_map(|(ours, less, few, more, many)| {
        let beside = |further, shared, calls| Beside {
            further,
            shared,
            calls,
        };
        (ours, beside(few, false, less), beside(many, true, more))
    })
}

/// For any two organizations and any sequence of calls, what one sees does not depend on the other's data.
///
/// The same calls are made in two worlds that differ only in what the other
/// organization has and does; the other's ids are used on purpose, and are
/// answered as ids that exist nowhere. In the end all that the organization
/// can list is compared, and its events.
///
/// # Panics
///
/// At the first case that breaks it, and without a runtime of tokio.
pub async fn iso_1<F, G>(fresh: F) -> Tally
where
    F: Fn() -> G,
    G: Future<Output = Arc<dyn IdentityStore>>,
{
    let mut tally = Tally::default();
    for (ours, less, more) in cases(&script()) {
        // Both at once: they share nothing, and a store on disk mostly waits.
        let first = tokio::spawn(observed(fresh().await, ours.clone(), less.clone()));
        let second = tokio::spawn(observed(fresh().await, ours.clone(), more.clone()));
        let [first, second] = [first.await, second.await]
            .map(|world| world.unwrap_or_else(|e| panic!("{ours:?}, {less:?}, {more:?}: {e}")));
        let (seen, outcomes) = second;
        assert_eq!(
            first.0, seen,
            "{ours:?} beside {less:?} and beside {more:?}"
        );
        for outcome in outcomes {
            tally.count(outcome);
        }
    }
    tally
}

/// Everything that the first organization sees while the other does its own, and how its calls ended.
async fn observed(
    store: Arc<dyn IdentityStore>,
    ours: Vec<Call>,
    beside: Beside,
) -> (Vec<String>, Vec<&'static str>) {
    let (a, b) = houses(store, usize::from(beside.further), beside.shared).await;
    let (mut seen, mut outcomes) = (Vec::new(), Vec::new());
    // The other one's calls are spread over ours; what is left comes at the end.
    let mut meanwhile = beside.calls.iter();
    for call in &ours {
        a.site.clock.advance(Duration::from_secs(1));
        if let Some(other) = meanwhile.next() {
            make(&b, &a.ids, other).await;
        }
        let (told, held) = make(&a, &b.ids, call).await;
        let whose = whose(call);
        if matches!(whose, Some(Whose::Others)) {
            let (nowhere, _) = make(&a, &Ids::nowhere(), call).await;
            assert!(!held, "{call:?} reached the other organization: {told}");
            assert_eq!(told, nowhere, "{call:?} tells what exists elsewhere");
        }
        outcomes.push(match (whose, call, held) {
            (Some(Whose::Own), _, true) => "own ids: done",
            (Some(Whose::Own | Whose::Shared), _, false) => "own or shared ids: gone before",
            (Some(Whose::Shared), _, true) => "shared person's ids: done",
            (Some(Whose::Others), _, _) => "the other's ids: as if they were nowhere",
            (None, Call::Invite { .. }, _) => "an address invited",
            (None, _, _) => "lists and settings",
        });
        seen.push(told);
    }
    for other in meanwhile {
        make(&b, &a.ids, other).await;
    }
    for call in [
        Call::Members(100),
        Call::Invitations(100),
        Call::Sessions(100),
        Call::Org,
        Call::Token(Whose::Shared),
    ] {
        seen.push(make(&a, &b.ids, &call).await.0);
    }
    let events = a.site.events().await.into_iter();
    seen.extend(
        events
            .filter(|event| event.org == Some(a.org))
            .map(|event| format!("{event:?}")),
    );
    (seen, outcomes)
}

const fn whose(call: &Call) -> Option<Whose> {
    match call {
        Call::RevokeInvitation(whose)
        | Call::SetRole(whose, _)
        | Call::Remove(whose)
        | Call::EndSession(whose)
        | Call::Token(whose) => Some(*whose),
        _ => None,
    }
}

fn told<T: Debug, E: Debug>(result: Result<T, E>) -> (String, bool) {
    // Something that was not there is told as `false`.
    let text = format!("{result:?}");
    let held = result.is_ok() && text != "Ok(false)";
    (text, held)
}

/// All pages of a list, each of so many items. (An async closure here makes futures that are not known to be `Send`.)
macro_rules! pages {
    ($limit:expr, |$request:ident| $list:expr) => {{
        let (mut after, mut all) = (None, String::new());
        loop {
            let $request = PageRequest::new(*$limit, after);
            let page = $list;
            all.push_str(&format!("{page:?}\n"));
            // No case has so many items: a list that goes round in circles ends here.
            assert!(all.len() < 1_000_000, "a list without an end: {all}");
            after = page.ok().and_then(|page| page.next);
            if after.is_none() {
                break (all, true);
            }
        }
    }};
}

/// Makes a call; gives what its caller saw, and whether it came to anything.
async fn make(own: &House, others: &Ids, call: &Call) -> (String, bool) {
    let (identity, ctx) = (&own.site.identity, own.ctx());
    let of = |whose: &Whose| match whose {
        Whose::Own => &own.ids,
        Whose::Others => others,
        Whose::Shared => &own.shared,
    };
    match call {
        Call::Members(limit) => pages!(limit, |page| identity.members(&ctx, &page).await),
        Call::Invitations(limit) => pages!(limit, |page| {
            let list = identity.invitations(&ctx, &page).await;
            list.map(|(page, _)| page)
        }),
        Call::Sessions(limit) => pages!(limit, |page| identity.org_sessions(&ctx, &page).await),
        Call::Org => told(identity.org(&ctx).await),
        Call::Rename(number) => {
            let name = Some(parsed(&format!("Name {number}")));
            let update = OrgUpdate {
                name,
                ..OrgUpdate::default()
            };
            told(identity.update_org(&ctx, &update).await)
        }
        Call::Invite {
            number,
            known_elsewhere,
        } => {
            let email = match known_elsewhere {
                true => format!("further{number}@example.com"),
                false => format!("new{number}@example.com"),
            };
            let invited = identity.invite(&ctx, parsed(&email), RoleName::VIEWER);
            told(invited.await)
        }
        Call::RevokeInvitation(whose) => {
            told(identity.revoke_invitation(&ctx, of(whose).invitation).await)
        }
        Call::SetRole(whose, role) => told(
            identity
                .set_role(&ctx, of(whose).member, role.clone())
                .await,
        ),
        Call::Remove(whose) => told(identity.remove_member(&ctx, of(whose).member).await),
        Call::EndSession(whose) => told(identity.end_org_session(&ctx, of(whose).session).await),
        Call::Token(whose) => {
            // The other's ids: a member asks for a token of the other organization.
            let (by, slug) = match whose {
                Whose::Own => (own.user(&own.ids), own.ids.slug),
                Whose::Others => (own.user(&own.ids), others.slug),
                Whose::Shared => (own.user(&own.shared), own.ids.slug),
            };
            told(identity.org_token(&by, &parsed(slug)).await)
        }
    }
}
