//! SES-4: no token outlives its stated lifetime under any step of the clock.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cyprob::core::adapters::system::NeverBack;
use cyprob::core::domain::Timestamp;
use cyprob::core::ports::{Clock, EntropyExt as _};
use cyprob::core::testkit::{ManualClock, SeededEntropy, Tally};
use serde_json::{Value, json};

use crate::site::{PASSWORD, Site, Ways, ask, expect, sign_in, text};

const CASES: u64 = 256;
const STEPS: usize = 24;
/// How long it takes at most until a wall clock that was set is looked at.
const NOTICED: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// What the machine's clock is made of, with a wall clock that anybody may set.
#[derive(Debug, Default)]
struct Machine {
    wall: ManualClock,
    steady: ManualClock,
    time: NeverBack,
}

impl Machine {
    fn passed(&self) -> Duration {
        self.steady.now().since(ManualClock::default().now())
    }

    fn pass(&self, by: Duration) {
        self.wall.advance(by);
        self.steady.advance(by);
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let lately = self.time.lately(self.passed());
        lately.unwrap_or_else(|| self.time.time(self.wall.now(), self.passed()))
    }
}

/// A token that lives for as long as was stated when it was given.
struct Given {
    token: String,
    at: Duration,
    lives: Duration,
    /// It lived when the wall clock was set forward, which may end it early.
    hurried: bool,
}

struct Case<'a> {
    node: &'a Router,
    machine: &'a Machine,
    dice: SeededEntropy,
    email: String,
    access: Vec<Given>,
    /// Each of a session of its own, so that none is used up.
    refresh: Vec<Given>,
    tally: &'a mut Tally,
}

/// Runs the cases on a site that this makes with such a clock.
///
/// # Panics
///
/// At the first token that lives for too long, or not long enough where no clock was set forward.
pub(crate) async fn holds(site: impl AsyncFn(Ways) -> Site) -> Tally {
    let machine = Arc::new(Machine::default());
    let ways = Ways {
        clock: Some(Arc::clone(&machine) as _),
        ..Ways::default()
    };
    let site = site(ways).await;
    let node = site.nodes.first().unwrap();
    // One person for all: their sign-ins need no administrator, whose token would be over as well.
    site.person("grace@example.com").await;
    let mut tally = Tally::default();
    for number in 0..CASES {
        let mut case = Case {
            node,
            machine: &machine,
            dice: SeededEntropy::new(number),
            email: "grace@example.com".to_owned(),
            access: Vec::new(),
            refresh: Vec::new(),
            tally: &mut tally,
        };
        for _ in 0..STEPS {
            case.step().await;
        }
        case.check_refresh().await;
    }
    site.end().await;
    tally
}

fn given(pair: &Value, token: &str, lifetime: &str, at: Duration) -> Given {
    Given {
        token: text(pair, token),
        at,
        lives: Duration::from_secs(pair[lifetime].as_u64().unwrap()),
        hurried: false,
    }
}

impl Case<'_> {
    fn roll(&self, sides: u32) -> u32 {
        u32::from_le_bytes(self.dice.bytes()) % sides
    }

    /// Microseconds to a day, each length about as often as another.
    fn span(&self) -> Duration {
        let unit = [1, 1_000, 1_000_000, 60_000_000, 3_600_000_000][self.roll(5) as usize];
        Duration::from_micros(unit * u64::from(1 + self.roll(24)))
    }

    async fn step(&mut self) {
        match self.roll(8) {
            0 | 1 => self.machine.pass(self.span()),
            2 => {
                // Just before the end of one, at it, or just after it.
                let Some(one) = self.access.last() else {
                    return;
                };
                let left = (one.at + one.lives).saturating_sub(self.machine.passed());
                let more = Duration::from_millis(u64::from(self.roll(3)));
                let left = (left + more).saturating_sub(Duration::from_millis(1));
                self.machine.pass(left);
            }
            3 | 4 => {
                let back = self.machine.wall.now().before(self.span());
                self.machine.wall.set(back);
            }
            5 => {
                let before = self.machine.now();
                let from = [self.machine.wall.now(), before][self.roll(2) as usize];
                self.machine.wall.set(from.after(self.span()));
                self.machine.pass(NOTICED);
                // It may only have caught up with what had passed.
                if self.machine.now() > before.after(NOTICED) {
                    for token in self.access.iter_mut().chain(&mut self.refresh) {
                        token.hurried = true;
                    }
                }
            }
            _ => {
                let pair = sign_in(self.node, &self.email, PASSWORD).await;
                let pair = expect(200, pair);
                let at = self.machine.passed();
                self.access
                    .push(given(&pair, "access_token", "expires_in", at));
                let refresh = given(&pair, "refresh_token", "refresh_expires_in", at);
                self.refresh.push(refresh);
            }
        }
        self.check_access().await;
    }

    /// Counts a token when it is over.
    async fn check_access(&mut self) {
        let now = self.machine.passed();
        let mut good = Vec::new();
        for given in self.access.drain(..) {
            let token = Some(given.token.as_str());
            let (status, body) = ask(self.node, "GET", "/api/v1/me", token, &Value::Null).await;
            match judge(&given, now, status, &body) {
                Fate::Good => good.push(given),
                Fate::Over => self.tally.count("access token over"),
                Fate::Early => self
                    .tally
                    .count("access token ended early by a clock set forward"),
            }
        }
        self.access = good;
    }

    /// At the end, because it uses them up.
    async fn check_refresh(&mut self) {
        for _ in &self.access {
            self.tally.count("access token good");
        }
        let past = [
            Duration::ZERO,
            24 * 3_600 * SECOND,
            40 * 24 * 3_600 * SECOND,
        ];
        self.machine.pass(past[self.roll(3) as usize]);
        let now = self.machine.passed();
        for given in &self.refresh {
            let body = json!({ "refresh_token": given.token });
            let (status, body) = ask(self.node, "POST", "/api/v1/auth/refresh", None, &body).await;
            self.tally.count(match judge(given, now, status, &body) {
                Fate::Good => "refresh token good",
                Fate::Over => "refresh token over",
                Fate::Early => "refresh token ended early by a clock set forward",
            });
        }
    }
}

/// What became of a token.
enum Fate {
    Good,
    Over,
    Early,
}

fn judge(given: &Given, now: Duration, status: u16, body: &Value) -> Fate {
    let age = now.saturating_sub(given.at);
    let lives = given.lives;
    match status {
        200 => {
            assert!(age < lives, "good after {age:?} of {lives:?}");
            Fate::Good
        }
        401 if age >= lives => Fate::Over,
        401 if given.hurried => Fate::Early,
        // Lifetimes are stated in whole seconds: it may be over by less than one before.
        401 if age + SECOND > lives => Fate::Over,
        _ => panic!("{status} after {age:?} of {lives:?}: {body}"),
    }
}
