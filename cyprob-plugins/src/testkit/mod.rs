//! Hostile files, generators and the properties of the engine, for tests.
//!
//! A host runs a property as a function; `PROPTEST_CASES` sets how many cases
//! (256 when unset). Each prints how its outcomes were distributed.

pub mod hostile;
mod properties;
#[cfg(feature = "runs")]
pub mod runs;
mod strategies;

pub use properties::{
    fact_files_are_read_or_refused, fixed_mode_is_deterministic,
    plg_1_no_file_costs_more_than_stated, prefiltered_equals_naive,
};
pub use strategies::{any_fact_file, any_plugin_file, fact_set, plugin_file};
