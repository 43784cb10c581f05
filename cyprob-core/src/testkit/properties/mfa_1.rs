//! MFA-1.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use secrecy::SecretString;
use tokio::task::JoinSet;

use super::cases;
use super::factors::{Person, code, enrolled, reset};
use crate::domain::{Caller, RecoveryCode, TotpSecret, TotpStep};
use crate::ports::Clock;
use crate::ports::store::IdentityStore;
use crate::service::{Credentials, SignInError, StepUpError};
use crate::testkit::site::{PASSWORD, Site};
use crate::testkit::{ManualClock, Tally};

/// A code, as one of those who know it shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Code {
    /// Of the step so many steps from now.
    Step(i64),
    /// One of the recovery codes.
    Recovery(usize),
}

#[derive(Clone, Copy, Debug)]
struct Shown {
    code: Code,
    /// To renew a session, or else to sign in.
    steps_up: bool,
    /// At another server over the same store.
    second_server: bool,
}

/// Those who come at once, so many seconds after those before.
#[derive(Clone, Debug)]
struct Moment {
    wait: u64,
    shown: Vec<Shown>,
}

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    let code = prop_oneof![
        4 => (-2_i64..=2).prop_map(Code::Step),
        2 => (0_usize..3).prop_map(Code::Recovery),
    ];
    let shown = (code, prop::bool::weighted(0.3), any::<bool>()).prop_map(
        |(code, steps_up, second_server)| Shown {
            code,
            steps_up,
            second_server,
        },
    );
    let wait = prop_oneof![2 => Just(0), 3 => 1_u64..30, 3 => 30_u64..120];
    let moment =
        (wait, prop::collection::vec(shown, 1..6)).prop_map(|(wait, shown)| Moment { wait, shown });
    prop::collection::vec(moment, 1..5)
}

/// A used step or a used recovery code never works again, under any interleaving of sign-ins and step-ups.
///
/// They come at two servers over one store; on a runtime of several threads those of one moment race. A good code lets
/// one in who signs in with it.
///
/// # Panics
///
/// At the first case that breaks it.
pub async fn mfa_1<F, G>(fresh: F) -> Tally
where
    F: Fn() -> G,
    G: Future<Output = Arc<dyn IdentityStore>>,
{
    let mut tally = Tally::default();
    let (store, clock) = (fresh().await, Arc::new(ManualClock::default()));
    let server = |seed| Site::new(Arc::clone(&store), Arc::clone(&clock), seed);
    let (site, second) = (server(4), server(7));
    site.found().await;
    for case in cases(&moments()) {
        let (person, secret, codes) = enrolled(&site).await;
        let mut model = Model {
            last: TotpStep::at(site.clock.now()).get(),
            used: BTreeSet::new(),
        };
        for moment in &case {
            site.clock.advance(Duration::from_secs(moment.wait));
            let judged = play([&site, &second], &person, &secret, &codes, moment).await;
            model.judge(&site, &judged, &mut tally, &case);
        }
        reset(&site, &person).await;
    }
    tally
}

/// What became of the codes that were shown and looked at; who comes too early is not.
async fn play(
    [site, second]: [&Site; 2],
    person: &Person,
    secret: &TotpSecret,
    codes: &[RecoveryCode],
    moment: &Moment,
) -> Vec<(Shown, bool)> {
    let now = TotpStep::at(site.clock.now()).get();
    let text = |of: Code| -> SecretString {
        match of {
            Code::Step(drift) => code(secret, now + drift),
            Code::Recovery(number) => codes
                .get(number)
                .map(RecoveryCode::text)
                .unwrap_or_else(|| panic!("there are ten")),
        }
    };
    let mut racers = JoinSet::new();
    for shown in &moment.shown {
        let at_server = if shown.second_server { second } else { site };
        let identity = Arc::clone(&at_server.identity);
        let (shown, code, by) = (*shown, text(shown.code), person.ctx());
        let (email, device) = (person.email, person.device.clone());
        racers.spawn(async move {
            let taken = if shown.steps_up {
                match identity.step_up(&by, None, None, Some(&code)).await {
                    Err(StepUpError::SlowDown(_)) => None,
                    other => Some(other.is_ok()),
                }
            } else {
                let credentials = Credentials {
                    email: email.to_owned(),
                    password: PASSWORD.into(),
                    org: None,
                    device_token: Some(device),
                    totp: Some(code),
                };
                let caller = Caller::system("property");
                match identity.sign_in(credentials, &caller).await {
                    Err(SignInError::SlowDown(_)) => None,
                    other => Some(other.is_ok()),
                }
            };
            taken.map(|taken| (shown, taken))
        });
    }
    let mut judged = Vec::new();
    while let Some(done) = racers.join_next().await {
        judged.extend(done.unwrap_or_else(|e| panic!("{moment:?}: {e}")));
    }
    judged
}

/// What was taken so far.
struct Model {
    last: i64,
    used: BTreeSet<usize>,
}

impl Model {
    fn judge(&mut self, site: &Site, judged: &[(Shown, bool)], tally: &mut Tally, case: &[Moment]) {
        let now = TotpStep::at(site.clock.now()).get();
        let mut seen = BTreeSet::new();
        for (shown, _) in judged.iter().filter(|(_, taken)| *taken) {
            assert!(seen.insert(shown.code), "{case:?}: {shown:?} taken twice");
            match shown.code {
                Code::Step(drift) => {
                    assert!(drift.abs() <= 1, "{case:?}: {shown:?}");
                    assert!(now + drift > self.last, "{case:?}: {shown:?} was used up");
                }
                Code::Recovery(number) => {
                    assert!(!self.used.contains(&number), "{case:?}: {shown:?} was used");
                }
            }
        }
        let mut step_is_good = false;
        for (shown, _) in judged {
            let good = match shown.code {
                Code::Step(drift) => drift.abs() <= 1 && now + drift > self.last,
                Code::Recovery(number) => !self.used.contains(&number),
            };
            match (shown.code, good) {
                (Code::Step(_), false) => tally.count("a step that is used up or far off"),
                (Code::Recovery(_), false) => tally.count("a recovery code that is used"),
                (Code::Step(_), true) => {
                    tally.count("a good step");
                    step_is_good |= !shown.steps_up;
                }
                (Code::Recovery(_), true) => {
                    tally.count("a good recovery code");
                    let let_in = shown.steps_up || seen.contains(&shown.code);
                    assert!(let_in, "{case:?}: {shown:?} let nobody in");
                }
            }
        }
        let steps = seen.iter().filter(|code| matches!(code, Code::Step(_)));
        assert!(
            !step_is_good || steps.count() > 0,
            "{case:?}: {judged:?} let nobody in"
        );
        for code in seen {
            match code {
                Code::Step(drift) => self.last = self.last.max(now + drift),
                Code::Recovery(number) => {
                    self.used.insert(number);
                }
            }
        }
    }
}
