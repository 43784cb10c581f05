//! AUD-2 as properties, with the distribution of outcomes.

use cyprob_audit::testkit::{
    Distribution, aud_2_any_change_of_a_log_is_found, aud_2_any_change_of_a_proof_is_found,
};

const CASES: u32 = 256;

/// Prints how the cases ended. `accepted` is rare by its nature: it counts the
/// changes that change nothing, such as an entry that changed places with itself.
#[expect(clippy::print_stdout, reason = "the distribution is read by people")]
fn show(name: &str, distribution: &Distribution) -> u32 {
    println!("{name}:");
    for verdict in ["integrity", "completeness", "accepted"] {
        println!("  {:>4}  {verdict}", distribution.of(verdict));
    }
    for (outcome, count) in &distribution.outcomes {
        println!("  {count:>4}  {outcome}");
    }
    distribution.outcomes.values().sum()
}

#[test]
fn any_change_of_a_log_is_found() {
    let distribution = aud_2_any_change_of_a_log_is_found(CASES).unwrap();
    assert_eq!(show("logs", &distribution), CASES);
    for verdict in ["integrity", "completeness"] {
        let count = distribution.of(verdict);
        assert!(count * 20 >= CASES, "{verdict} is rarer than 5 %: {count}");
    }
}

#[test]
fn any_change_of_a_proof_is_found() {
    let distribution = aud_2_any_change_of_a_proof_is_found(CASES).unwrap();
    assert_eq!(show("proofs", &distribution), CASES);
    assert!(distribution.of("integrity") > CASES / 2);
}
