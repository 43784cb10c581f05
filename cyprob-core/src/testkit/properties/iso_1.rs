//! ISO-1.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use proptest::prelude::*;

use super::cases;
use crate::domain::audit::Actor;
use crate::domain::{
    Caller, CtxIssuer, InvitationId, OrgCtx, OrgId, PageRequest, RoleName, SessionId, UserCtx,
    UserId,
};
use crate::ports::store::{IdentityStore, OrgUpdate};
use crate::service::NewAccount;
use crate::testkit::site::{PASSWORD, Site, parsed};
use crate::testkit::{ManualClock, Tally};

/// A call of an organization's owner; `foreign` takes the other organization's ids.
#[derive(Clone, Debug)]
enum Call {
    Members,
    Invitations,
    Sessions,
    Org,
    Rename(u8),
    Invite { number: u8, known_elsewhere: bool },
    RevokeInvitation { foreign: bool },
    SetRole { foreign: bool, analyst: bool },
    Remove { foreign: bool },
    EndSession { foreign: bool },
    Token { foreign: bool },
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        1 => Just(Call::Members),
        1 => Just(Call::Invitations),
        1 => Just(Call::Sessions),
        1 => Just(Call::Org),
        1 => any::<u8>().prop_map(Call::Rename),
        2 => (0_u8..4, any::<bool>()).prop_map(|(number, known_elsewhere)| Call::Invite {
            number,
            known_elsewhere
        }),
        3 => any::<bool>().prop_map(|foreign| Call::RevokeInvitation { foreign }),
        2 => (any::<bool>(), any::<bool>())
            .prop_map(|(foreign, analyst)| Call::SetRole { foreign, analyst }),
        2 => any::<bool>().prop_map(|foreign| Call::Remove { foreign }),
        2 => any::<bool>().prop_map(|foreign| Call::EndSession { foreign }),
        1 => any::<bool>().prop_map(|foreign| Call::Token { foreign }),
    ]
}

/// What one organization does, and two different things that the other does meanwhile.
fn script() -> impl Strategy<Value = (Vec<Call>, Vec<Call>, Vec<Call>)> {
    let calls = |range| prop::collection::vec(call(), range);
    (calls(2..12), calls(0..8), calls(0..8))
}

/// For any two organizations and any sequence of calls, what one sees does not depend on the other's data.
///
/// The same calls are made in two worlds that differ only in what the other
/// organization has and does; the other's ids are used on purpose.
///
/// # Panics
///
/// At the first case that breaks it.
pub async fn iso_1<F, G>(fresh: F) -> Tally
where
    F: Fn() -> G,
    G: Future<Output = Arc<dyn IdentityStore>>,
{
    let mut tally = Tally::default();
    for (ours, one, two) in cases(&script()) {
        let mut ignored = Tally::default();
        let first = observed(fresh().await, &ours, &one, 0, &mut tally).await;
        let second = observed(fresh().await, &ours, &two, 2, &mut ignored).await;
        assert_eq!(first, second, "{ours:?} beside {one:?} and beside {two:?}");
    }
    tally
}

/// One organization, as its owner reaches it.
struct House {
    site: Site,
    org: OrgId,
    slug: &'static str,
    owner: UserId,
    member: UserId,
    session: SessionId,
    invitation: InvitationId,
}

impl House {
    fn caller(&self) -> Caller {
        let actor = Actor::User {
            id: self.owner,
            session: Some(self.session),
            token: None,
        };
        Caller {
            actor,
            ..Caller::system("property")
        }
    }

    fn ctx(&self) -> OrgCtx {
        CtxIssuer::for_composition().org(self.org, RoleName::OWNER, self.caller())
    }

    fn user(&self) -> UserCtx {
        CtxIssuer::for_composition().user(self.owner, self.session, self.caller())
    }
}

/// Makes a member of an organization, who signs in.
async fn member(site: &Site, ctx: &OrgCtx, email: &str) -> (UserId, SessionId) {
    let invited = site
        .identity
        .invite(ctx, parsed(email), RoleName::VIEWER)
        .await;
    let invited = invited.unwrap_or_else(|e| panic!("{e}"));
    let account = NewAccount {
        name: parsed("Somebody"),
        password: PASSWORD.into(),
    };
    let caller = Caller::system("property");
    let accepted = site
        .identity
        .accept_as_new(&invited.token, Some(account), &caller)
        .await;
    let user = accepted.unwrap_or_else(|e| panic!("{e}")).user.id;
    (user, site.sign_in(email).await.session.id)
}

async fn pending_invitation(site: &Site, ctx: &OrgCtx, email: &str) -> InvitationId {
    let invited = site
        .identity
        .invite(ctx, parsed(email), RoleName::VIEWER)
        .await;
    invited.unwrap_or_else(|e| panic!("{e}")).invitation.id
}

/// Both organizations; the other one has so many further members.
async fn houses(store: Arc<dyn IdentityStore>, further: usize) -> (House, House) {
    let clock = Arc::new(ManualClock::default());
    // Each has randomness of its own, so that one's ids do not depend on the other's calls.
    let ours = Site::new(Arc::clone(&store), Arc::clone(&clock), 11);
    let theirs = Site::new(store, clock, 12);
    let founded = ours.found().await;
    let issuer = CtxIssuer::for_composition();
    let root = issuer.deployment(Caller::system("property"));
    let made = ours.identity.create_org(
        &root,
        parsed("globex"),
        parsed("Globex"),
        parsed("bo@example.com"),
    );
    let made = made.await.unwrap_or_else(|e| panic!("{e}"));
    let account = NewAccount {
        name: parsed("Bo"),
        password: PASSWORD.into(),
    };
    let caller = Caller::system("property");
    let accepted = theirs
        .identity
        .accept_as_new(&made.token, Some(account), &caller);
    let bo = accepted.await.unwrap_or_else(|e| panic!("{e}")).user.id;
    let ctx = |org| issuer.org(org, RoleName::OWNER, Caller::system("property"));

    let ctx_a = ctx(founded.org.id);
    let (member_a, session_a) = member(&ours, &ctx_a, "m-acme@example.com").await;
    let invitation_a = pending_invitation(&ours, &ctx_a, "i-acme@example.com").await;
    let ctx_b = ctx(made.org.id);
    let (member_b, session_b) = member(&theirs, &ctx_b, "m-globex@example.com").await;
    let invitation_b = pending_invitation(&theirs, &ctx_b, "i-globex@example.com").await;
    for number in 0..further {
        member(&theirs, &ctx_b, &format!("further{number}@example.com")).await;
    }
    let a = House {
        site: ours,
        org: founded.org.id,
        slug: "acme",
        owner: founded.user.id,
        member: member_a,
        session: session_a,
        invitation: invitation_a,
    };
    let b = House {
        site: theirs,
        org: made.org.id,
        slug: "globex",
        owner: bo,
        member: member_b,
        session: session_b,
        invitation: invitation_b,
    };
    (a, b)
}

/// Everything that the first organization sees while the other does its own.
async fn observed(
    store: Arc<dyn IdentityStore>,
    ours: &[Call],
    theirs: &[Call],
    further: usize,
    tally: &mut Tally,
) -> Vec<String> {
    let (a, b) = houses(store, further).await;
    let mut seen = Vec::new();
    let mut meanwhile = theirs.iter();
    for call in ours {
        if let Some(other) = meanwhile.next() {
            make(&b, &a, other).await;
        }
        let (told, held) = make(&a, &b, call).await;
        tally.count(match (is_foreign(call), held) {
            (true, true) => "the other's ids, answered",
            (true, false) => "the other's ids, refused",
            (false, true) => "own ids, answered",
            (false, false) => "own ids, refused",
        });
        seen.push(told);
    }
    seen
}

const fn is_foreign(call: &Call) -> bool {
    match call {
        Call::RevokeInvitation { foreign }
        | Call::SetRole { foreign, .. }
        | Call::Remove { foreign }
        | Call::EndSession { foreign }
        | Call::Token { foreign } => *foreign,
        Call::Invite {
            known_elsewhere, ..
        } => *known_elsewhere,
        _ => false,
    }
}

fn told<T: Debug, E: Debug>(result: Result<T, E>) -> (String, bool) {
    // Something that was not there is told as `false`.
    let text = format!("{result:?}");
    let held = result.is_ok() && text != "Ok(false)";
    (text, held)
}

/// Makes a call; gives what its caller saw, and whether it came to anything.
async fn make(own: &House, other: &House, call: &Call) -> (String, bool) {
    let (identity, ctx, page) = (&own.site.identity, own.ctx(), PageRequest::default());
    let of = |foreign: &bool| if *foreign { other } else { own };
    match call {
        Call::Members => told(identity.members(&ctx, &page).await),
        Call::Invitations => told(identity.invitations(&ctx, &page).await),
        Call::Sessions => told(identity.org_sessions(&ctx, &page).await),
        Call::Org => told(identity.org(&ctx).await),
        Call::Rename(number) => {
            let name = Some(parsed(&format!("Name {number}")));
            told(
                identity
                    .update_org(&ctx, &OrgUpdate { name, policy: None })
                    .await,
            )
        }
        Call::Invite {
            number,
            known_elsewhere,
        } => {
            let email = match known_elsewhere {
                true => "further0@example.com".to_owned(),
                false => format!("new{number}@example.com"),
            };
            told(
                identity
                    .invite(&ctx, parsed(&email), RoleName::VIEWER)
                    .await,
            )
        }
        Call::RevokeInvitation { foreign } => told(
            identity
                .revoke_invitation(&ctx, of(foreign).invitation)
                .await,
        ),
        Call::SetRole { foreign, analyst } => {
            let role = if *analyst {
                RoleName::ANALYST
            } else {
                RoleName::OPERATOR
            };
            told(identity.set_role(&ctx, of(foreign).member, role).await)
        }
        Call::Remove { foreign } => told(identity.remove_member(&ctx, of(foreign).member).await),
        Call::EndSession { foreign } => {
            told(identity.end_org_session(&ctx, of(foreign).session).await)
        }
        Call::Token { foreign } => {
            let org = parsed(of(foreign).slug);
            told(identity.org_token(&own.user(), &org).await)
        }
    }
}
