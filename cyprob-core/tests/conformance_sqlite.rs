//! The SQLite store does what every identity store, and every store of spent uses, must.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use cyprob_core::adapters::sqlite::{SqliteOptions, SqliteStore};

async fn fresh() -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cyprob.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default()).await;
    (store.unwrap(), folder)
}

cyprob_core::identity_store_conformance!(fresh());
cyprob_core::spent_store_conformance!(fresh());
