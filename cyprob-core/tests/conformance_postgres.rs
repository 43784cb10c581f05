//! The PostgreSQL store does what every identity store, and every store of spent uses, must.

use cyprob_core::adapters::postgres::{Component, PostgresStore};
use cyprob_core::testkit::postgres::{Database, Template};

static EMPTY: Template = Template::new(|| vec![Component::CORE]);

async fn fresh() -> (PostgresStore, Database) {
    let database = EMPTY.database().await;
    (database.store().await, database)
}

mod over_postgres {
    use super::*;

    cyprob_core::identity_store_conformance!(fresh());
    cyprob_core::spent_store_conformance!(fresh());
}
