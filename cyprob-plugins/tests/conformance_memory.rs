//! The memory stores do what every store of plugins and runs must.

use std::sync::Arc;

use cyprob_core::adapters::memory::MemoryStore;
use cyprob_plugins::adapters::memory::MemoryRuns;
use cyprob_plugins::testkit::runs::{
    Stores, pages_of_runs_are_what_the_scope_admits,
    plg_3_no_interleaving_loses_a_run_or_takes_two_results,
};

async fn fresh() -> (Stores, ()) {
    let outbox = Arc::new(MemoryStore::new());
    let runs = MemoryRuns::new(outbox.clone());
    (Stores::of(runs, outbox), ())
}

cyprob_plugins::runs_conformance!(fresh());

#[test]
fn plg_3() {
    plg_3_no_interleaving_loses_a_run_or_takes_two_results(fresh);
}

#[test]
fn scoped_pages() {
    pages_of_runs_are_what_the_scope_admits(fresh);
}
