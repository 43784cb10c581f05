//! Use cases over compiled plugins: rule sets and batch evaluation.

mod index;
mod ruleset;

pub use ruleset::{RuleSet, RuleSetError};
