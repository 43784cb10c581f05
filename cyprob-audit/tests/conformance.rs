//! Every store of placed entries does what a log store must.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::sync::Arc;

use cyprob_audit::adapters::memory::MemoryLogStore;
use cyprob_audit::adapters::sqlite::SqliteLogStore;
use cyprob_audit::testkit::log_store::{Pair, pair};
use cyprob_core::adapters::sqlite::{SqliteOptions, SqliteStore};

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

mod over_sqlite {
    cyprob_audit::log_store_conformance!(super::sqlite());
}
