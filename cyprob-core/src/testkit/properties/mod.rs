//! Promises as functions: a host runs them over its own store, an auditor with as many cases as they like.
//!
//! Each takes a function that makes a fresh store and gives the distribution
//! of outcomes; it panics at the first case that breaks the promise, and names
//! the case. `PROPTEST_CASES` sets how many there are, 256 if unset.

#![allow(clippy::panic, reason = "a property reports by panicking")]

mod auth_1;
mod auth_2;
mod authz_5;
mod factors;
mod iso_1;
mod mfa_1;
mod mfa_2;
mod ses_1;
mod ses_2;
mod ses_3;

pub use auth_1::{Auth1, Hashers, auth_1};
pub use auth_2::auth_2;
pub use authz_5::authz_5;
pub use iso_1::iso_1;
pub use mfa_1::mfa_1;
pub use mfa_2::mfa_2;
pub use ses_1::ses_1;
pub use ses_2::ses_2;
pub use ses_3::ses_3;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The cases of a property: the same ones every time.
fn cases<S: Strategy>(strategy: &S) -> impl Iterator<Item = S::Value> + use<'_, S> {
    let config = Config::default();
    let count = config.cases;
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    (0..count).map(move |_| match strategy.new_tree(&mut runner) {
        Ok(tree) => tree.current(),
        Err(reason) => panic!("no case: {reason}"),
    })
}
