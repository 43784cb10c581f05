//! Generated tokens and requests.

use std::net::IpAddr;

use cyprob_core::domain::RoleName;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::narrow::{Narrow, NarrowBlock};
use super::policies::{RANGES, TAGS, grants, scoped_grants};
use crate::domain::policy::Grant;
use crate::domain::{Need, Permission, SystemPermission};
use crate::service::{MAX_LISTED, MAX_RANGES, MAX_USES};

/// What role a holder has.
#[derive(Clone, Debug)]
pub enum HeldRole {
    /// None: the token is for no organization.
    None,
    /// One that the deployment has, or that nobody defined.
    Named(RoleName),
    /// One that the deployment defined, with grants under conditions.
    Granted(Vec<Grant>),
    /// One that the organization defined, with what it permits.
    Own(Vec<&'static str>),
    /// One that the organization defined, in a version that nobody can read any more.
    Past(Vec<&'static str>),
}

/// One token and one request, before either is made.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The holder's role, or no organization.
    pub role: HeldRole,
    /// Whether the holder is a service account, which is always in an organization.
    pub service: bool,
    /// Whether the holder is the administrator.
    pub administrator: bool,
    /// Whether the holder showed two factors.
    pub two_factors: bool,
    /// How many minutes into the week the token is minted.
    pub minute: u64,
    /// How many seconds before minting the holder showed a credential; below zero by a clock that was set back.
    pub auth_age: i64,
    /// How many seconds after minting the request comes; tokens live for 300.
    pub request_age: u64,
    /// How many microseconds into that second.
    pub micros: u64,
    /// The appended blocks; times in seconds after minting.
    pub blocks: Vec<NarrowBlock>,
    /// Whether the holder seals the token in the end.
    pub seal: bool,
    /// What the route asks.
    pub need: Need,
    /// Whether it asks for a fresh sign-in.
    pub step_up: bool,
    /// How the path names an organization: 0 own id, 1 own slug, 2 foreign id, 3 foreign slug, 4 not at all, 5 the own slug in capitals.
    pub place: u8,
    /// The other names in the path.
    pub resources: Vec<String>,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// Whether the object is the caller's own, or of one on whose behalf a service account acts.
    pub own: bool,
    /// The object's tags.
    pub tags: Vec<&'static str>,
    /// The word of the use that was taken of the token.
    pub used: Option<&'static str>,
}

const RESOURCES: [&str; 4] = ["run_a", "run_b", "nginx", ""];
const WORDS: [&str; 4] = ["4f1c", "b07e", "resource", "~"];
const ADDRESSES: [&str; 5] = [
    "10.1.2.3",
    "192.0.2.9",
    "::ffff:10.1.2.3",
    "2001:db8::7",
    "203.0.113.5",
];

fn texts(of: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    subsequence(of, 0..=of.len()).prop_map(|list| list.into_iter().map(str::to_owned).collect())
}

fn names() -> impl Strategy<Value = Vec<String>> {
    let org = Permission::ALL.iter().map(|p| p.as_str());
    let system = SystemPermission::ALL.iter().map(|p| p.as_str());
    let all: Vec<&'static str> = org.chain(system).chain(["of:tomorrow", "runs"]).collect();
    let some = subsequence(all.clone(), 0..=3);
    let most = subsequence(all.clone(), all.len() - 6..=all.len());
    prop_oneof![1 => some, 3 => most].prop_map(|list| list.into_iter().map(str::to_owned).collect())
}

/// Mostly all words, so that little is taken away.
fn uses() -> impl Strategy<Value = Vec<String>> {
    let all = || Just(WORDS.map(str::to_owned).to_vec());
    prop_oneof![2 => all(), 1 => texts(&WORDS)]
}

fn check() -> impl Strategy<Value = Narrow> {
    prop_oneof![
        4 => (names(), any::<bool>()).prop_map(|(names, set)| Narrow::Permissions { names, set }),
        2 => (texts(&RESOURCES), any::<bool>()).prop_map(|(ids, set)| Narrow::Resources { ids, set }),
        2 => (texts(&RANGES), any::<bool>()).prop_map(|(ranges, set)| Narrow::Addresses { ranges, set }),
        2 => (uses(), any::<bool>()).prop_map(|(words, set)| Narrow::Uses { words, set }),
        1 => (prop_oneof![3 => 150_u64..600, 1 => 0_u64..150], any::<bool>())
            .prop_map(|(second, inclusive)| Narrow::Before { second, inclusive }),
    ]
}

/// A permission in an organization, of objects or of nothing that is one.
fn asked() -> impl Strategy<Value = Need> {
    let permission = select(Permission::ALL);
    (permission, any::<bool>()).prop_map(|(permission, objects)| match objects {
        true => Need::Objects(permission),
        false => Need::Org(permission),
    })
}

fn need() -> impl Strategy<Value = Need> {
    prop_oneof![
        6 => asked(),
        2 => Just(Need::Authenticated),
        3 => select(SystemPermission::ALL).prop_map(Need::System),
    ]
}

fn role() -> impl Strategy<Value = HeldRole> {
    let strange: RoleName = "stranger".parse().unwrap_or(RoleName::VIEWER);
    let named = |role| Just(HeldRole::Named(role));
    let all: Vec<&'static str> = Permission::ALL.iter().map(|p| p.as_str()).collect();
    let some = subsequence(all.clone(), 1..=all.len());
    let most = subsequence(all.clone(), all.len() - 4..=all.len());
    prop_oneof![
        3 => named(RoleName::OWNER),
        1 => named(RoleName::ADMIN),
        1 => named(RoleName::OPERATOR),
        1 => named(RoleName::ANALYST),
        1 => named(RoleName::AUDITOR),
        2 => named(RoleName::VIEWER),
        1 => named(strange),
        1 => Just(HeldRole::None),
        3 => grants().prop_map(HeldRole::Granted),
        2 => some.clone().prop_map(HeldRole::Own),
        1 => most.prop_map(HeldRole::Own),
        1 => some.prop_map(HeldRole::Past),
    ]
}

/// Leaves out the checks whose lists a token has no room for.
fn fitting(mut blocks: Vec<NarrowBlock>) -> Vec<NarrowBlock> {
    let (mut listed, mut ranges, mut uses) = (0, 0, 0);
    for block in &mut blocks {
        block.retain(|check| {
            let (strings, addresses, words) = match check {
                Narrow::Permissions { names, .. } => (names.len(), 0, 0),
                Narrow::Resources { ids, .. } => (ids.len(), 0, 0),
                Narrow::Addresses { ranges, .. } => (0, ranges.len(), 0),
                Narrow::Uses { words, .. } => (0, 0, words.len()),
                Narrow::Before { .. } => (0, 0, 0),
            };
            let fits = listed + strings <= MAX_LISTED
                && ranges + addresses <= MAX_RANGES
                && uses + words <= MAX_USES;
            if fits {
                listed += strings;
                ranges += addresses;
                uses += words;
            }
            fits
        });
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// Tokens of zero to two appended blocks and requests of every kind, weighted so that every outcome is met often.
pub fn scenario() -> impl Strategy<Value = Scenario> {
    prop_oneof![14 => anything(), 3 => conditional(), 5 => scoped(), 3 => counted()]
}

/// Requests that little refuses but that no use of the token was taken, or another one.
fn counted() -> impl Strategy<Value = Scenario> {
    let uses = (texts(&WORDS), any::<bool>());
    let uses = uses.prop_map(|(words, set)| vec![Narrow::Uses { words, set }]);
    let blocks = vec(uses, 1..=2).prop_map(fitting);
    (anything(), blocks, asked()).prop_map(|(anything, blocks, need)| Scenario {
        role: HeldRole::Named(RoleName::OWNER),
        service: false,
        auth_age: anything.auth_age % 100,
        request_age: anything.request_age % 200,
        blocks,
        need,
        place: anything.place % 2,
        ..anything
    })
}

/// Requests that little refuses but the conditions of a role.
fn conditional() -> impl Strategy<Value = Scenario> {
    (anything(), grants(), asked()).prop_map(|(anything, grants, need)| Scenario {
        role: HeldRole::Granted(grants),
        blocks: Vec::new(),
        need,
        place: anything.place % 2,
        ..anything
    })
}

/// Requests for objects that little refuses, of a role that has some of them.
fn scoped() -> impl Strategy<Value = Scenario> {
    let need = select(Permission::ALL).prop_map(Need::Objects);
    (anything(), scoped_grants(), need).prop_map(|(anything, grants, need)| Scenario {
        role: HeldRole::Granted(grants),
        blocks: Vec::new(),
        need,
        step_up: false,
        request_age: anything.request_age % 290,
        place: anything.place % 2,
        ..anything
    })
}

fn anything() -> impl Strategy<Value = Scenario> {
    let blocks = prop_oneof![
        5 => Just(Vec::new()),
        4 => vec(vec(check(), 1..=3), 1..=2).prop_map(fitting),
    ];
    let who = (
        role(),
        any::<bool>(),
        prop::bool::weighted(0.2),
        any::<bool>(),
        prop_oneof![4 => 0_i64..100, 5 => 100_i64..2_000, 1 => -600_i64..0],
    );
    let when = (
        0_u64..10_080,
        prop_oneof![16 => 0_u64..295, 1 => 295_u64..305, 1 => 305_u64..400],
        0_u64..1_000_000,
    );
    let place = prop_oneof![3 => 0_u8..=1, 1 => 2_u8..=5];
    let from = prop_oneof![
        4 => select(&ADDRESSES[..]).prop_map(|text| text.parse().ok()),
        1 => Just(None),
    ];
    let object = (any::<bool>(), subsequence(TAGS.to_vec(), 0..=TAGS.len()));
    let used = prop_oneof![5 => select(&WORDS[..]).prop_map(Some), 1 => Just(None)];
    let rest = (
        need(),
        prop::bool::weighted(0.7),
        place,
        texts(&RESOURCES),
        from,
        used,
        object,
    );
    (who, when, blocks, any::<bool>(), rest).prop_map(|(who, when, blocks, seal, rest)| Scenario {
        role: who.0,
        administrator: who.1,
        service: who.2,
        two_factors: who.3,
        minute: when.0,
        auth_age: who.4,
        request_age: when.1,
        micros: when.2,
        blocks,
        seal,
        need: rest.0,
        step_up: rest.1,
        place: rest.2,
        resources: rest.3,
        address: rest.4,
        used: rest.5,
        own: rest.6.0,
        tags: rest.6.1,
    })
}

/// A check that takes little away.
fn mild() -> impl Strategy<Value = Narrow> {
    let org = Permission::ALL.iter().map(|p| p.as_str());
    let system = SystemPermission::ALL.iter().map(|p| p.as_str());
    let all: Vec<&'static str> = org.chain(system).collect();
    let most = subsequence(all.clone(), all.len() - 2..=all.len());
    let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
    prop_oneof![
        most.prop_map(move |names| Narrow::Permissions {
            names: owned(names),
            set: false
        }),
        any::<bool>().prop_map(move |set| Narrow::Resources {
            ids: owned(RESOURCES.to_vec()),
            set
        }),
        any::<bool>().prop_map(move |set| Narrow::Addresses {
            ranges: owned(vec!["0.0.0.0/0", "::/0"]),
            set
        }),
        any::<bool>().prop_map(move |set| Narrow::Uses {
            words: owned(WORDS.to_vec()),
            set
        }),
        (250_u64..600).prop_map(|second| Narrow::Before {
            second,
            inclusive: false
        }),
    ]
}

/// Narrowed tokens: half of an owner and administrator who may do nearly everything and gives little away at a time, half of anybody.
pub fn narrowed() -> impl Strategy<Value = Scenario> {
    let step = prop_oneof![4 => mild(), 1 => check()];
    let mild = vec(vec(step, 1..=2), 1..=2).prop_map(fitting);
    let mighty = (scenario(), mild).prop_map(|(anyone, blocks)| Scenario {
        role: HeldRole::Named(RoleName::OWNER),
        administrator: true,
        service: false,
        auth_age: anyone.auth_age % 100,
        request_age: anyone.request_age % 200,
        place: anyone.place % 2,
        blocks,
        ..anyone
    });
    let anyone = (
        scenario(),
        vec(vec(check(), 1..=2), 1..=2).prop_map(fitting),
    )
        .prop_map(|(anyone, blocks)| Scenario { blocks, ..anyone });
    prop_oneof![1 => mighty, 1 => anyone]
}
