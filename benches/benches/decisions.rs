//! A decision from a token's text to the proof, warm and cold, against one Ed25519 verification.

#![allow(clippy::expect_used, reason = "a benchmark reports by panicking")]

use cyprob::authz::domain::{Demand, Need, Permission};
use cyprob::core::domain::Caller;
use cyprob::core::domain::audit::Actor;
use cyprob_benches::{Ed25519, Site, compare, heading};

const ROUNDS: u32 = 101;
const OPERATIONS: u32 = 200;
const PEOPLE: u32 = 4_000;

fn decide(site: &Site, token: &str) {
    let at = site.access.now();
    let principal = site.access.authenticate(token, at).expect("it holds");
    let demand = Demand {
        need: Need::Org(Permission::RunsRead),
        step_up: false,
        org: Some("acme"),
        resources: &[],
        address: None,
        at,
        used: None,
    };
    let caller = Caller {
        actor: Actor::Anonymous,
        origin: Default::default(),
        request_id: None,
    };
    let proof = site.access.admit_org(&principal, &demand, caller);
    assert!(std::hint::black_box(proof).is_ok());
}

fn main() {
    heading();
    let site = Site::new();
    let yardstick = Ed25519::default();
    let cases = [
        ("decision, warm, one token", vec![site.token()]),
        ("decision, warm, distinct tokens", site.tokens(PEOPLE)),
        (
            "decision, cold, distinct tokens",
            site.tokens((ROUNDS + 1) * OPERATIONS),
        ),
    ];
    for (name, tokens) in cases {
        if !name.contains("cold") {
            tokens.iter().for_each(|token| decide(&site, token));
        }
        let mut turns = tokens.iter().cycle();
        compare(
            name,
            ROUNDS,
            OPERATIONS,
            |count| (0..count).for_each(|_| decide(&site, turns.next().expect("a token"))),
            |count| (0..count).for_each(|_| yardstick.verify()),
        );
    }
    let mut turns = 0;
    let minted = |count: u32| {
        turns += count;
        (0..count).for_each(|_| drop(std::hint::black_box(site.token())));
    };
    compare("minting a token", ROUNDS, OPERATIONS, minted, |count| {
        (0..count).for_each(|_| yardstick.verify());
    });
    assert!(turns > 0);
}
