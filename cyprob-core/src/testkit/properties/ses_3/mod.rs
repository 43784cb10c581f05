//! SES-3.

mod person;

use std::future::Future;
use std::sync::Arc;

use proptest::prelude::*;

use self::person::Person;
use super::cases;
use crate::domain::{Id as _, Revocation, Whose};
use crate::ports::store::{Claimed, IdentityStore, Standing};
use crate::testkit::site::Site;
use crate::testkit::{ManualClock, Tally};

/// What is done, by or to one of the person's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    SignIn,
    Refresh,
    StepUp,
    SignOut,
    Revoke,
    RevokeOthers,
    ChangePassword { keep: bool },
    SetUpFactor { keep: bool },
    RemoveFactor { keep: bool },
    ResetFactor,
    Disable,
    ChangeRole,
    RemoveMember,
    EndGrant,
    EndMany(Many),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Many {
    Person,
    Org,
    Everyone,
}

/// What a call ends of what was given out before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Nothing,
    /// One session.
    Session(usize),
    /// All sessions but one.
    Others(usize),
    /// All tokens, and all sessions but the one that goes on.
    Person(Option<usize>),
    /// One session's access tokens for the organization.
    Grant(usize),
    /// All access tokens for the organization.
    Member,
}

/// Calls, each by or to the n-th live session; most people have a factor to begin with.
fn calls() -> impl Strategy<Value = Vec<(Call, usize)>> {
    let keep = any::<bool>();
    let many = prop::sample::select(vec![Many::Person, Many::Org, Many::Everyone]);
    let call = prop_oneof![
        6 => Just(Call::SignIn),
        2 => Just(Call::Refresh),
        2 => Just(Call::StepUp),
        2 => Just(Call::SignOut),
        2 => Just(Call::Revoke),
        2 => Just(Call::RevokeOthers),
        2 => keep.prop_map(|keep| Call::ChangePassword { keep }),
        2 => keep.prop_map(|keep| Call::SetUpFactor { keep }),
        4 => keep.prop_map(|keep| Call::RemoveFactor { keep }),
        3 => Just(Call::ResetFactor),
        2 => Just(Call::Disable),
        2 => Just(Call::ChangeRole),
        2 => Just(Call::RemoveMember),
        2 => Just(Call::EndGrant),
        2 => many.prop_map(Call::EndMany),
    ];
    let calls = prop::collection::vec((call, 0_usize..4), 3..10);
    (prop::bool::weighted(0.7), calls).prop_map(|(has_factor, mut calls)| {
        if has_factor {
            calls.insert(0, (Call::SetUpFactor { keep: true }, 0));
        }
        calls
    })
}

/// What ended, for the distribution.
const fn name(call: Call) -> &'static str {
    match call {
        Call::SignIn | Call::Refresh | Call::StepUp => "nothing",
        Call::SignOut | Call::Revoke | Call::RevokeOthers => "by sign-out",
        Call::ChangePassword { .. } => "by a password",
        Call::SetUpFactor { .. } => "by a new factor",
        Call::RemoveFactor { .. } | Call::ResetFactor => "by a removed factor",
        Call::Disable => "by a disabled account",
        Call::ChangeRole | Call::RemoveMember => "by a role",
        Call::EndGrant => "by an ended grant",
        Call::EndMany(_) => "by the end of many",
    }
}

/// Once a revoke, a logout, a changed password or factor, a disabled account or a changed role returns, no earlier token works.
///
/// Asked of the store (mode Strict) and of what was published (mode Feed);
/// refresh tokens of sessions that ended are shown. What was not ended works on,
/// so nothing is ended too much either.
///
/// # Panics
///
/// At the first case that breaks it.
pub async fn ses_3<F, G>(fresh: F) -> Tally
where
    F: Fn() -> G,
    G: Future<Output = Arc<dyn IdentityStore>>,
{
    let mut tally = Tally::default();
    let site = Site::new(fresh().await, Arc::new(ManualClock::default()), 6);
    let founded = site.found().await;
    for (number, calls) in cases(&calls()).enumerate() {
        let mut person = Person::new(&site, &founded, number).await;
        for (call, at) in &calls {
            if !person.is_signed_in() {
                person.sign_in().await;
            }
            let (ended, goes_on) = person.make(*call, *at).await;
            let before = person.given.iter().filter(|given| given.good).count();
            person.apply(ended);
            let after = person.given.iter().filter(|given| given.good).count();
            if after < before {
                tally.count(name(*call));
            }
            person.hand_out(goes_on);
            check(&site, &person, &calls).await;
        }
    }
    tally
}

/// Everything that was ever given out works as the model says.
async fn check(site: &Site, person: &Person<'_>, calls: &[(Call, usize)]) {
    let published = site.feed.published();
    for given in &person.given {
        let stands = site.store.standing(&given.claimed).await;
        let stands = stands.unwrap_or_else(|e| panic!("{e:?}")) == Standing::Stands;
        assert_eq!(stands, given.good, "{calls:?}: {given:?} at the store");
        let told = published
            .iter()
            .any(|entry| covers(entry.what, &given.claimed));
        assert_eq!(told, !given.good, "{calls:?}: {given:?} in the feed");
    }
    for session in &person.sessions {
        let taken = person.shows(session).await;
        assert_eq!(taken, session.live, "{calls:?}: {session:?}");
    }
}

/// Whether a node that heard of a revocation refuses a token.
fn covers(what: Revocation, token: &Claimed) -> bool {
    match what {
        Revocation::Session(session) => session == token.session,
        Revocation::Grant(session, org) => {
            session == token.session && token.member.is_some_and(|(of, _)| of == org)
        }
        Revocation::User(user, epoch) => user == token.user && token.user_epoch < epoch,
        Revocation::Member(org, user, epoch) => {
            let older = |(of, known)| of == org && known < epoch;
            user == token.user && token.member.is_some_and(older)
        }
        Revocation::Opened(whose, until, keep) => {
            let meant = match whose {
                Whose::Everyone => true,
                Whose::User(user) => user == token.user,
                Whose::Org(org) => token.member.is_some_and(|(of, _)| of == org),
            };
            meant && token.session.made_at() <= until && keep != Some(token.session)
        }
        // Nobody here has an own role of an organization, nor is a service account.
        Revocation::Role(..) | Revocation::Service(..) | Revocation::ServiceKey(..) => false,
    }
}
