//! A storm of tokens; in an optimised build of a million.

use cyprob_authz::testkit;

const TOKENS: usize = if cfg!(debug_assertions) {
    10_000
} else {
    1_000_000
};

#[test]
fn a_storm_of_tokens_costs_no_other_session_its_place() {
    let storm = testkit::authz_4_a_storm_costs_nobody_their_place(TOKENS);
    println!("{storm:?}");
    assert_eq!(storm.kept, storm.sessions);
    // What the storm left are four places for each of its four sessions.
    assert_eq!(storm.remembered, storm.sessions + 16);
    for met in [storm.held, storm.misshapen, storm.forged] {
        assert!(met * 20 >= storm.tokens, "a kind is met too rarely");
    }
}
