//! The PostgreSQL stores do what every store of plugins and runs must.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::sync::Arc;

use cyprob_core::adapters::postgres::Component;
use cyprob_core::testkit::postgres::{Cleared, Database, Template};
use cyprob_plugins::adapters::postgres::{PostgresRuns, TABLES};
use cyprob_plugins::testkit::runs::{
    Stores, pages_of_runs_are_what_the_scope_admits,
    plg_3_no_interleaving_loses_a_run_or_takes_two_results,
};

static EMPTY: Template = Template::new(|| vec![Component::CORE, TABLES]);

async fn fresh() -> (Stores, Database) {
    let database = EMPTY.database().await;
    let store = database.store().await;
    let runs = PostgresRuns::open(store.clone()).await.unwrap();
    (Stores::of(runs, Arc::new(store)), database)
}

mod over_postgres {
    use super::*;

    cyprob_plugins::runs_conformance!(fresh());

    #[test]
    fn plg_3() {
        let databases = Cleared::new(&EMPTY);
        plg_3_no_interleaving_loses_a_run_or_takes_two_results(async || {
            let store = databases.store().await;
            let runs = PostgresRuns::open(store.clone()).await.unwrap();
            (Stores::of(runs, Arc::new(store)), ())
        });
    }

    #[test]
    fn scoped_pages() {
        let databases = Cleared::new(&EMPTY);
        pages_of_runs_are_what_the_scope_admits(async || {
            let store = databases.store().await;
            let runs = PostgresRuns::open(store.clone()).await.unwrap();
            (Stores::of(runs, Arc::new(store)), ())
        });
    }
}
