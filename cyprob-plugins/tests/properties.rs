//! The engine's properties; `PROPTEST_CASES` sets how many cases.

use cyprob_plugins::testkit;

#[test]
fn plg_1_no_file_costs_more_than_stated() {
    testkit::plg_1_no_file_costs_more_than_stated();
}

#[test]
fn fixed_mode_is_deterministic() {
    testkit::fixed_mode_is_deterministic();
}

#[test]
fn prefiltered_equals_naive() {
    testkit::prefiltered_equals_naive();
}

#[test]
fn fact_files_are_read_or_refused() {
    testkit::fact_files_are_read_or_refused();
}
