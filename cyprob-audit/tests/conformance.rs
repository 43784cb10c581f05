//! Every store of placed entries does what a log store must.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::sync::Arc;

use cyprob_audit::adapters::memory::MemoryLogStore;
use cyprob_audit::adapters::postgres::{PostgresLogStore, TABLES};
use cyprob_audit::adapters::sqlite::SqliteLogStore;
use cyprob_audit::testkit::log_store::{Pair, pair};
use cyprob_core::adapters::postgres::Component;
use cyprob_core::adapters::sqlite::{SqliteOptions, SqliteStore};
use cyprob_core::testkit::postgres::{Database, Template};

async fn memory() -> (Pair, ()) {
    let store = MemoryLogStore::default();
    let outbox = Arc::clone(store.outbox());
    (pair(store, outbox), ())
}

async fn sqlite() -> (Pair, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cyprob.db");
    let core = SqliteStore::open(&path, &SqliteOptions::default()).await;
    let core = core.unwrap();
    let store = SqliteLogStore::open(core.clone()).await.unwrap();
    (pair(store, Arc::new(core)), folder)
}

mod over_memory {
    cyprob_audit::log_store_conformance!(super::memory());
}

static EMPTY: Template = Template::new(|| vec![Component::CORE, TABLES]);

async fn postgres() -> (Pair, Database) {
    let database = EMPTY.database().await;
    let core = database.store().await;
    let store = PostgresLogStore::open(core.clone()).await.unwrap();
    (pair(store, Arc::new(core)), database)
}

mod over_postgres {
    cyprob_audit::log_store_conformance!(super::postgres());
}

mod over_sqlite {
    cyprob_audit::log_store_conformance!(super::sqlite());
}
