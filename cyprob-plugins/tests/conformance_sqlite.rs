//! The SQLite stores do what every store of plugins and runs must.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::path::Path;
use std::sync::Arc;

use cyprob_core::adapters::sqlite::{SqliteOptions, SqliteStore};
use cyprob_plugins::adapters::sqlite::SqliteRuns;
use cyprob_plugins::testkit::runs::{
    Stores, pages_of_runs_are_what_the_scope_admits,
    plg_3_no_interleaving_loses_a_run_or_takes_two_results,
};
use tokio::sync::OnceCell;

/// An empty database, made once: copies of it need no migration.
static EMPTY: OnceCell<tempfile::TempDir> = OnceCell::const_new();

async fn open(folder: &Path) -> (SqliteStore, SqliteRuns) {
    let path = folder.join("cyprob.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default()).await;
    let store = store.unwrap();
    let runs = SqliteRuns::open(store.clone()).await.unwrap();
    (store, runs)
}

async fn fresh() -> (Stores, tempfile::TempDir) {
    let empty = EMPTY.get_or_init(|| async {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = open(folder.path()).await;
        store.close().await;
        folder
    });
    let folder = tempfile::tempdir().unwrap();
    let name = "cyprob.db";
    std::fs::copy(empty.await.path().join(name), folder.path().join(name)).unwrap();
    let (store, runs) = open(folder.path()).await;
    (Stores::of(runs, Arc::new(store)), folder)
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
