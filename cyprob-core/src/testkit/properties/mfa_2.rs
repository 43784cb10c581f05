//! MFA-2.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::cases;
use super::factors::{OWNER, Person, code, member, reset, signed_in};
use crate::domain::{Caller, Timestamp, TotpSecret, TotpStep};
use crate::ports::Clock;
use crate::ports::store::IdentityStore;
use crate::service::Credentials;
use crate::testkit::site::{PASSWORD, Site};
use crate::testkit::{ManualClock, Tally};

/// How long an enrolment is good.
const TTL: Duration = Duration::from_secs(600);
/// The longest wait after a wrong code.
const PATIENCE: Duration = Duration::from_secs(10);

/// Two sessions of one person, and one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Own,
    OtherSession,
    OtherPerson,
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Begin(Who),
    /// By a session, with the code of what another one, or it itself, has begun.
    Confirm(Who, Who),
    /// Seconds.
    Wait(u64),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let who = || prop::sample::select(vec![Who::Own, Who::OtherSession, Who::OtherPerson]);
    let wait = prop_oneof![1_u64..600, 570_u64..=630];
    let call = prop_oneof![
        1 => who().prop_map(Call::Begin),
        6 => (who(), who()).prop_map(|(by, of)| Call::Confirm(by, of)),
        2 => wait.prop_map(Call::Wait),
    ];
    // Most have begun before anything is confirmed.
    let begun = prop::collection::vec(who().prop_map(Call::Begin), 1..6);
    (begun, prop::collection::vec(call, 1..10)).prop_map(|(mut all, calls)| {
        all.extend(calls);
        all
    })
}

/// No sequence of calls by other sessions, of the same person or another, puts a factor in force that its own session did not confirm.
///
/// The others know every code. What is confirmed by its own session within ten
/// minutes comes into force, and it is that session's secret.
///
/// # Panics
///
/// At the first case that breaks it.
pub async fn mfa_2<F, G>(fresh: F) -> Tally
where
    F: Fn() -> G,
    G: Future<Output = Arc<dyn IdentityStore>>,
{
    let mut tally = Tally::default();
    let site = Site::new(fresh().await, Arc::new(ManualClock::default()), 5);
    let founded = site.found().await;
    member(&site, founded.org.id, founded.user.id, "eve@example.com").await;
    for calls in cases(&calls()) {
        let people = [
            signed_in(&site, OWNER).await,
            signed_in(&site, OWNER).await,
            signed_in(&site, "eve@example.com").await,
        ];
        play(&site, &people, &calls, &mut tally).await;
        for person in &people {
            reset(&site, person).await;
        }
    }
    tally
}

/// Makes the calls up to the first factor in force.
async fn play(site: &Site, people: &[Person; 3], calls: &[Call], tally: &mut Tally) {
    let [own, other_session, other_person] = people;
    let person = |who| match who {
        Who::Own => own,
        Who::OtherSession => other_session,
        Who::OtherPerson => other_person,
    };
    let mut begun: Vec<(Who, TotpSecret, Timestamp)> = Vec::new();
    for call in calls {
        match *call {
            Call::Wait(seconds) => site.clock.advance(Duration::from_secs(seconds)),
            Call::Begin(who) => {
                let new = site.identity.begin_factor(&person(who).ctx(), None).await;
                let new = new.unwrap_or_else(|e| panic!("{calls:?}: {e}"));
                begun.retain(|(by, ..)| *by != who);
                begun.push((who, new.secret, site.clock.now()));
            }
            Call::Confirm(by, of) => {
                let Some((_, secret, at)) = begun.iter().find(|(by, ..)| *by == of) else {
                    continue;
                };
                // Long enough after a wrong code.
                site.clock.advance(PATIENCE);
                let shown = code(secret, TotpStep::at(site.clock.now()).get());
                let ctx = person(by).ctx();
                let confirmed = site.identity.confirm_factor(&ctx, &shown, true).await;
                let in_time = site.clock.now() < at.after(TTL);
                tally.count(match (by == of, in_time) {
                    (true, true) => "its own session, in time",
                    (true, false) => "its own session, late",
                    (false, _) => "another session",
                });
                assert_eq!(
                    confirmed.is_ok(),
                    by == of && in_time,
                    "{calls:?}: {by:?} with the code of {of:?}"
                );
                if confirmed.is_ok() {
                    return check(site, person(by), secret, calls).await;
                }
                for person in people {
                    let factor = site.store.second_factor(person.user).await;
                    let factor = factor.unwrap_or_else(|e| panic!("{e}"));
                    assert!(factor.is_none(), "{calls:?}: a factor came into force");
                }
            }
        }
    }
}

/// The secret in force is the one that was confirmed.
async fn check(site: &Site, person: &Person, secret: &TotpSecret, calls: &[Call]) {
    site.clock.advance(Duration::from_secs(30));
    let credentials = Credentials {
        email: person.email.to_owned(),
        password: PASSWORD.into(),
        org: None,
        device_token: None,
        totp: Some(code(secret, TotpStep::at(site.clock.now()).get())),
    };
    let caller = Caller::system("property");
    let signed_in = site.identity.sign_in(credentials, &caller).await;
    assert!(signed_in.is_ok(), "{calls:?}: {:?}", signed_in.err());
}
