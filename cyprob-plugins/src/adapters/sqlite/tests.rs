use std::sync::Arc;

use cyprob_core::adapters::sqlite::SqliteOptions;
use cyprob_core::domain::Timestamp;
use cyprob_core::ports::store::StoreError;
use sqlx::{Executor as _, Row as _, SqlSafeStr as _};

use super::super::sql::{sql, tests};
use super::*;
use crate::domain::RunState;
use crate::ports::{Queue as _, RunStore as _};

async fn open(folder: &std::path::Path) -> SqliteRuns {
    let path = folder.join("cyprob.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default()).await;
    SqliteRuns::open(store.unwrap()).await.unwrap()
}

#[tokio::test]
async fn every_statement_prepares_on_a_fresh_database() {
    let folder = tempfile::tempdir().unwrap();
    let runs = open(folder.path()).await;
    let mut tx = runs.store.system_tx(&runs.system).await.unwrap();
    assert!(sql::ALL.len() >= 30);
    for (name, statement) in sql::ALL {
        let text = statement.sqlite();
        if text.is_empty() {
            continue;
        }
        let prepared = tx.connection().prepare(text.into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
}

/// How often a statement reads or changes a table: not what it made itself, and not the values it was given.
fn tables_in(text: &str) -> usize {
    let words: Vec<_> = text.split_whitespace().collect();
    let named = |pair: &&[&str]| matches!(pair[0], "FROM" | "JOIN" | "UPDATE");
    let named = words.windows(2).filter(named).map(|pair| pair[1]);
    named
        .filter(|name| !name.starts_with(['(', '$']) && !name.starts_with("json_each("))
        .filter(|name| !matches!(*name, "SET" | "found"))
        .count()
}

#[test]
fn every_statement_but_the_queues_two_is_bound_to_its_organization() {
    for (name, statement) in sql::ALL {
        let text = statement.sqlite();
        if name.starts_with("ANY_") || text.is_empty() {
            continue;
        }
        let bound = if text.starts_with("INSERT INTO ") {
            let given = [" VALUES ($1, ", " SELECT $1, "];
            text.contains(" (org_id, ") && given.iter().any(|given| text.contains(given))
        } else {
            text.contains("org_id = $1 ")
        };
        assert!(bound, "{name} is not bound to org_id = $1");
        // Each table is bound, wherever in the statement it is read, not only the first.
        let tables = tables_in(text);
        let bound = text.matches("org_id = $1").count();
        assert!(
            text.starts_with("INSERT") || bound == tables,
            "{name} binds {bound} of {tables}"
        );
    }
    let any: Vec<_> = sql::ALL
        .iter()
        .filter(|(name, _)| name.starts_with("ANY_"))
        .collect();
    assert_eq!(any.len(), 2);
}

#[tokio::test]
async fn tables_are_strict_and_their_keys_begin_with_the_organization() {
    let folder = tempfile::tempdir().unwrap();
    let runs = open(folder.path()).await;
    let mut tx = runs.store.system_tx(&runs.system).await.unwrap();
    for table in [
        "plugin_files",
        "plugins",
        "plugin_versions",
        "runs",
        "run_plugins",
        "findings",
        "run_tags",
        "run_keys",
    ] {
        let row = sqlx::query("SELECT t.strict, c.name FROM pragma_table_list t, pragma_table_info($1) c WHERE t.name = $1 AND c.pk = 1")
            .bind(table)
            .fetch_one(tx.connection())
            .await
            .unwrap();
        assert!(row.get::<bool, _>("strict"), "{table} is not STRICT");
        assert_eq!(row.get::<String, _>("name"), "org_id", "{table}");
    }
}

/// The queue is looked at all the time: it must not read every run there ever was.
#[tokio::test]
async fn the_queue_is_looked_at_by_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let runs = open(folder.path()).await;
    let mut tx = runs.store.system_tx(&runs.system).await.unwrap();
    for (text, index) in [
        (sql::ANY_DUE, "runs_open"),
        (sql::ANY_RECLAIM, "runs_open"),
        (sql::OPEN_RUNS, "runs_open"),
        (sql::TAKE, "PRIMARY KEY"),
        (sql::RUNS, "PRIMARY KEY"),
        (sql::RUN, "PRIMARY KEY"),
        (sql::CANCEL, "PRIMARY KEY"),
        (
            sql::RUN_KEY,
            "PRIMARY KEY (org_id=? AND requester=? AND idempotency_key=?)",
        ),
        (sql::FINDINGS, "PRIMARY KEY"),
        (sql::PLUGINS, "PRIMARY KEY"),
    ] {
        let text = text.sqlite();
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let rows = sqlx::query(explain)
            .fetch_all(tx.connection())
            .await
            .unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        assert!(
            plan.iter().any(|step| step.contains(index)),
            "{text}: {plan:?}"
        );
        // Sorted is at most what is open, of which each organization has so much.
        let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorts || text == sql::ANY_DUE.sqlite(), "{text}: {plan:?}");
    }
}

/// However many runs there are, each is found by an index, and none by its tags for one who may have all.
#[tokio::test]
async fn runs_of_a_scope_are_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let runs = open(folder.path()).await;
    let mut tx = runs.store.system_tx(&runs.system).await.unwrap();
    for (statement, indexes) in [
        (sql::RUNS, &[][..]),
        (sql::RUN, &[]),
        (sql::FINDINGS, &[]),
        (sql::CANCEL, &[]),
        (
            sql::RUNS_IN_SCOPE,
            &["runs_by_person", "run_tags_by_tag", "run_tags_by_person"],
        ),
    ] {
        let text = statement.sqlite();
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let rows = sqlx::query(explain)
            .fetch_all(tx.connection())
            .await
            .unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        for table in ["r", "t", "s", "o"] {
            let scan = format!("SCAN {table}");
            assert!(!plan.contains(&scan), "{text}: {plan:?}");
        }
        for index in indexes {
            let found = plan.iter().any(|step| step.contains(index));
            assert!(found, "{index}: {plan:?}");
        }
    }
}

/// What was acknowledged is there after the process is gone, and a lease with it.
#[tokio::test]
async fn runs_and_leases_outlive_the_process() {
    use crate::testkit::runs::{Stores, queue};
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).await;
    let stores = Stores::of(first.clone(), Arc::new(first.store.clone()));
    // Leaves one run that is taken and not finished.
    queue::a_job_is_what_was_asked_for(stores).await.unwrap();
    first.store.close().await;
    drop(first);
    let second = open(folder.path()).await;
    let at = Timestamp::from_seconds(1_767_225_600 + 11);
    assert_eq!(second.due(at).await.unwrap(), None);
    assert_eq!(second.reclaim(at).await.unwrap(), 1);
    let waiting = second.due(at).await.unwrap().unwrap();
    assert_eq!((waiting.fence.0, waiting.attempts), (1, 1));
    let role = "operator".parse().unwrap();
    let issuer = cyprob_core::domain::CtxIssuer::for_composition();
    let caller = cyprob_core::domain::Caller::system("test");
    let org = issuer.org(waiting.org, role, caller);
    let org = issuer.scoped(org, cyprob_core::domain::ObjectScope::ALL);
    let run = second.run(&org, waiting.run).await.unwrap().unwrap();
    assert_eq!(run.state, RunState::Running);
}

/// A row that was tampered with is an error that names table and column.
#[tokio::test]
async fn a_bad_row_is_an_error() {
    use crate::testkit::runs::{Stores, queue};
    let folder = tempfile::tempdir().unwrap();
    let runs = open(folder.path()).await;
    let stores = Stores::of(runs.clone(), Arc::new(runs.store.clone()));
    queue::a_job_is_what_was_asked_for(stores).await.unwrap();
    for (text, column) in [
        ("UPDATE runs SET fence = -1", "fence"),
        ("UPDATE runs SET fence = 1, attempts = -1", "attempts"),
        (
            "UPDATE runs SET attempts = 1, requested_by = x'00'",
            "requested_by",
        ),
    ] {
        let mut tx = runs.store.system_tx(&runs.system).await.unwrap();
        sqlx::query(text).execute(tx.connection()).await.unwrap();
        tx.commit().await.unwrap();
        let found = runs.due(Timestamp::from_seconds(4_000_000_000)).await;
        assert!(
            matches!(&found, Err(StoreError::Corrupt { table: "runs", column: bad }) if *bad == column),
            "{text}: {found:?}"
        );
    }
}

/// Keys of runs from before they were their requesters' own are taken over.
#[tokio::test]
async fn keys_from_before_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cyprob.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default()).await;
    let store = store.unwrap();
    let all = sqlx::migrate!("migrations/sqlite");
    let before = all.iter().filter(|step| step.version < 5).cloned();
    let before = sqlx::migrate::Migrator::with_migrations(before.collect());
    let table = "_cyprob_plugins_migrations";
    store
        .migrate("cyprob-plugins", table, before)
        .await
        .unwrap();
    let system = cyprob_core::domain::SystemCtx::new("test", "to test");
    let mut tx = store.system_tx(&system).await.unwrap();
    let [org, person, run] = tests::BEFORE;
    let text = format!(
        "INSERT INTO runs (org_id, id, state, requested_by, idempotency_key, facts, plugins, findings, errors, created_at, rule_set, facts_format, fence, attempts) VALUES (x'{org}', x'{run}', 'dead', x'{person}', 'once', 1, 1, 0, 0, 1, zeroblob(32), 'json', 1, 1)"
    );
    let insert = sqlx::query(sqlx::AssertSqlSafe(text));
    insert.execute(tx.connection()).await.unwrap();
    tx.commit().await.unwrap();
    let runs = SqliteRuns::open(store).await.unwrap();
    tests::a_key_from_before_gives_its_run(&runs).await;
}
