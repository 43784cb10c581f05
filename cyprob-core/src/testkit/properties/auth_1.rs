//! AUTH-1.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use secrecy::ExposeSecret;

use crate::domain::{Caller, CtxIssuer, Epoch, OrgCtx, PasswordHash, RoleName, TokenDigest, User};
use crate::ports::store::{Acceptance, AcceptanceOutcome, IdentityStore, Invitee};
use crate::ports::{Clock as _, EntropyExt, PasswordHasher};
use crate::service::Credentials;
use crate::testkit::site::{PASSWORD, Site, parsed};
use crate::testkit::timing::{Interval, Numbers, difference_of_medians, median};
use crate::testkit::{ManualClock, SeededEntropy};

/// The bound: so many percent of the time of a hash.
const BOUND: f64 = 2.0;
/// How often in a row one name fails at most: a case takes as many names in turn as it needs.
const FAILURES: usize = 64;
/// Rounds before those that count.
const WARMING: usize = 10;
/// How long after a question the next one is asked: what the hasher tidies up after it answered is over.
const PAUSE: Duration = Duration::from_millis(10);
/// How many more rounds must put a name to the one cost than to the other. Where one in five
/// of them is wrong, one name in a thousand is.
const LEAD: i32 = 5;
/// How far the clock moves between two questions: nobody is slowed down.
const STEP: Duration = Duration::from_secs(3_600);

/// The hasher of a deployment whose accounts have hashes of two costs, and what makes those of the other cost.
#[derive(Clone, Debug)]
pub struct Hashers {
    /// Hashes at today's cost; knows that half of all hashes are of the old one.
    pub today: Arc<dyn PasswordHasher>,
    /// Hashes at the old cost.
    pub old: Arc<dyn PasswordHasher>,
}

/// What is wrong with a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    WrongPassword,
    Disabled,
    Unknown,
    OldParameters,
    UnknownOfOldCost,
}

const CASES: [(Case, &str); 5] = [
    (Case::WrongPassword, "wrong password"),
    (Case::Disabled, "disabled account, right password"),
    (Case::Unknown, "unknown person"),
    (Case::OldParameters, "wrong password, old parameters"),
    (Case::UnknownOfOldCost, "unknown person of the old cost"),
];

/// Which cases must look alike.
const PAIRS: [(usize, usize); 3] = [(1, 0), (2, 0), (4, 3)];

/// What AUTH-1 measured.
#[derive(Clone, Debug)]
pub struct Auth1 {
    rounds: usize,
    /// The median of a wrong password, in milliseconds.
    hash: f64,
    /// For each pair: the difference of the medians in percent of the second.
    differences: [Interval; PAIRS.len()],
}

impl Auth1 {
    /// Whether every interval lies within 2 % of the time of a hash.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.differences.iter().all(|it| it.is_within(BOUND))
    }
}

impl fmt::Display for Auth1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, hash, .. } = self;
        write!(f, "n = {rounds} per group, {hash:.2} ms each")?;
        for ((one, other), interval) in PAIRS.iter().zip(&self.differences) {
            let name = |at: &usize| CASES.get(*at).map_or("", |(_, name)| *name);
            write!(f, "\n  {} against {}: {interval} %", name(one), name(other))?;
        }
        Ok(())
    }
}

/// AUTH-1: what is wrong with a sign-in cannot be told from its answer, nor from what it costs.
///
/// Unknown person, wrong password and disabled account give the same answer, and
/// so does an account whose hash has parameters of the past, for unknown people
/// are drawn from those too: an outsider who sees the old cost learns nothing.
/// In each round every case is asked once, in an order drawn anew; what is
/// measured is the time until the answer, as an outsider sees it, and compared
/// within a round. The processor time of the process would not do: of a thread
/// that still runs, which tidies up after it answered, the kernel counts whole
/// ticks, and a difference of less than one is not seen. Run it on a machine that
/// does nothing else.
pub async fn auth_1(store: Arc<dyn IdentityStore>, hashers: Hashers, rounds: usize) -> Auth1 {
    let names = (WARMING + rounds).div_ceil(FAILURES);
    let stand = Stand::new(store, hashers, names).await;
    let mut numbers = Numbers(1);
    let mut costs: Vec<[f64; CASES.len()]> = Vec::with_capacity(rounds);
    let mut said: Option<String> = None;
    for round in 0..WARMING + rounds {
        let mut order: [usize; CASES.len()] = std::array::from_fn(|at| at);
        for at in (1..order.len()).rev() {
            order.swap(at, numbers.below(at + 1));
        }
        let mut costs_of_round = [0.0; CASES.len()];
        for at in order {
            let Some(((case, name), cost)) = CASES.get(at).zip(costs_of_round.get_mut(at)) else {
                continue;
            };
            let (answer, spent) = stand.ask(*case, round).await;
            *cost = spent;
            let expected = said.get_or_insert_with(|| answer.clone());
            assert_eq!(&answer, expected, "{name}");
        }
        if round >= WARMING {
            costs.push(costs_of_round);
        }
    }
    let of = |at: usize| -> Vec<f64> {
        costs
            .iter()
            .filter_map(|round| round.get(at).copied())
            .collect()
    };
    let differences = PAIRS.map(|(one, other)| {
        let base = median(&of(other)) / 100.0;
        let pairs: Vec<_> = of(one).into_iter().zip(of(other)).collect();
        let Interval { low, high } = difference_of_medians(&pairs);
        Interval {
            low: low / base,
            high: high / base,
        }
    });
    Auth1 {
        rounds,
        hash: median(&of(0)),
        differences,
    }
}

struct Stand {
    site: Site,
    unknown: Vec<String>,
    unknown_of_old_cost: Vec<String>,
}

impl Stand {
    async fn new(store: Arc<dyn IdentityStore>, hashers: Hashers, names: usize) -> Self {
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(31));
        let today = Arc::clone(&hashers.today);
        let site = Site::with_hasher(store, clock, entropy, 1, Arc::clone(&today));
        let founded = site.found().await;
        let issuer = CtxIssuer::for_composition();
        let caller = Caller::system("property");
        let ctx = issuer.org(founded.org.id, RoleName::OWNER, caller);
        let new = hashed(hashers.today.as_ref()).await;
        let old = hashed(hashers.old.as_ref()).await;
        for number in 0..names {
            for (case, hash) in [
                (Case::WrongPassword, &new),
                (Case::Disabled, &new),
                (Case::OldParameters, &old),
            ] {
                move_in(&site, &ctx, case, number, hash.clone()).await;
            }
        }
        let [unknown, unknown_of_old_cost] = strangers(today.as_ref(), [new, old], names).await;
        Self {
            site,
            unknown,
            unknown_of_old_cost,
        }
    }

    /// What is answered, and after how many milliseconds.
    async fn ask(&self, case: Case, round: usize) -> (String, f64) {
        let number = round % self.unknown.len().max(1);
        let email = match case {
            Case::Unknown => self.unknown.get(number).cloned(),
            Case::UnknownOfOldCost => self.unknown_of_old_cost.get(number).cloned(),
            known => Some(address(known, number)),
        };
        let password = match case {
            Case::Disabled => PASSWORD,
            _ => "not the pass phrase of anybody",
        };
        let credentials = Credentials {
            totp: None,
            email: email.unwrap_or_default(),
            password: password.into(),
            org: None,
            device_token: None,
        };
        self.site.clock.advance(STEP);
        thread::sleep(PAUSE);
        let before = spent();
        let answer = self
            .site
            .identity
            .sign_in(credentials, &Caller::system("property"))
            .await;
        let cost = spent() - before;
        match answer {
            Ok(_) => panic!("a sign-in of {case:?} succeeded"),
            Err(error) => (format!("{error:?}"), cost),
        }
    }
}

fn address(case: Case, number: usize) -> String {
    format!("{case:?}{number}@example.com").to_lowercase()
}

async fn hashed(hasher: &dyn PasswordHasher) -> PasswordHash {
    let hash = hasher.hash(PASSWORD.into(), None).await;
    hash.unwrap_or_else(|error| panic!("{error}"))
}

/// Makes an account with this hash.
async fn move_in(site: &Site, ctx: &OrgCtx, case: Case, number: usize, hash: PasswordHash) {
    let email = address(case, number);
    let invited = site.identity.invite(ctx, parsed(&email), RoleName::VIEWER);
    let invited = invited.await.unwrap_or_else(|error| panic!("{error}"));
    let at = site.clock.now();
    let account = User {
        id: SeededEntropy::new(number as u64 * 8 + case as u64).id(at),
        email: parsed(&email),
        email_verified: true,
        name: parsed("Somebody"),
        password: Some(hash),
        epoch: Epoch::FIRST,
        administrator: false,
        disabled_at: (case == Case::Disabled).then_some(at),
        created_at: at,
    };
    let acceptance = Acceptance {
        invitation: invited.invitation.id,
        token: TokenDigest::of(invited.token.expose_secret()),
        invitee: Invitee::New(Box::new(account)),
        version: None,
        at,
    };
    let outcome = site.store.accept(&acceptance, &[]).await;
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outcome, AcceptanceOutcome::Accepted);
}

/// Names of nobody whose refusal costs what each of these hashes does, found as an outsider finds them: by asking.
async fn strangers(
    hasher: &dyn PasswordHasher,
    hashes: [PasswordHash; 2],
    many: usize,
) -> [Vec<String>; 2] {
    let mut found = [Vec::new(), Vec::new()];
    for number in 0..64 * many {
        if found.iter().all(|names| names.len() == many) {
            return found;
        }
        let name = format!("stranger{number}@example.com");
        let [of_new, of_old] = &mut found;
        let names = match costs_as_the_second(hasher, &hashes, &name).await {
            true => of_old,
            false => of_new,
        };
        if names.len() < many {
            names.push(name);
        }
    }
    panic!("unknown people are not drawn from both costs");
}

/// Whether this name of nobody costs what the second hash does, rather than the first.
///
/// All three are asked in turn, for a machine's speed changes by more than what
/// they differ by, and as long as it takes: one name in the wrong group is an
/// eighth of it, which alone would move its median by the bound.
async fn costs_as_the_second(
    hasher: &dyn PasswordHasher,
    hashes: &[PasswordHash; 2],
    name: &str,
) -> bool {
    let [first, second] = hashes;
    let mut lead = 0_i32;
    while lead.abs() < LEAD {
        let first = cost_of(hasher, Some(first.clone()), "somebody").await;
        let second = cost_of(hasher, Some(second.clone()), "somebody").await;
        let cost = cost_of(hasher, None, name).await;
        let nearer = (cost - second).abs() < (cost - first).abs();
        lead += if nearer { 1 } else { -1 };
    }
    lead > 0
}

/// After how many milliseconds a wrong password is refused.
async fn cost_of(hasher: &dyn PasswordHasher, stored: Option<PasswordHash>, name: &str) -> f64 {
    thread::sleep(PAUSE);
    let before = spent();
    let check = hasher.check("wrong".into(), stored, name, None).await;
    check.unwrap_or_else(|error| panic!("{error}"));
    spent() - before
}

/// A clock that nobody sets, in milliseconds.
fn spent() -> f64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
