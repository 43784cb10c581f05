//! Use cases over compiled plugins: rule sets and batch evaluation.

mod index;
mod ruleset;
#[cfg(feature = "runs")]
pub mod runs;

pub use ruleset::{RuleSet, RuleSetError};
