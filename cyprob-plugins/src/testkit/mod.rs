//! Hostile files, generators and the properties of the engine, for tests.
//!
//! A host runs a property as a function; `PROPTEST_CASES` sets how many cases
//! (256 when unset). Each prints how its outcomes were distributed.

pub mod hostile;
mod properties;
mod strategies;

pub use properties::{
    fixed_mode_is_deterministic, plg_1_no_file_costs_more_than_stated, prefiltered_equals_naive,
};
pub use strategies::{any_plugin_file, fact_set, plugin_file};
