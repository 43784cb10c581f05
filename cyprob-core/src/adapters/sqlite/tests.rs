use sqlx::{Executor, Row, SqlSafeStr};

use super::super::sql::{Columns, sql};
use super::*;
use crate::domain::SystemCtx;

mod corrupt;

fn system() -> SystemCtx {
    SystemCtx::new("test", "to look at the database")
}

async fn store() -> (tempfile::TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("db"), &SqliteOptions::default())
        .await
        .unwrap();
    (dir, store)
}

#[tokio::test]
async fn every_statement_prepares_on_a_fresh_database() {
    let (_dir, store) = store().await;
    let mut write = store.system_tx(&system()).await.unwrap();
    for (name, statement) in sql::ALL {
        let text = statement.sqlite();
        if text.is_empty() {
            continue;
        }
        let prepared = write.connection().prepare(text.into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
}

#[test]
fn every_tenant_statement_is_bound_to_its_organization() {
    let tenant: Vec<_> = sql::ALL
        .iter()
        .filter(|(name, _)| name.starts_with("TENANT_"))
        .collect();
    assert!(tenant.len() >= 15);
    for (name, statement) in tenant {
        let text = statement.sqlite();
        let inserts = text.starts_with("INSERT INTO ");
        let bound = if inserts {
            text.contains(" (org_id, ")
                && (text.contains(" VALUES ($1, ") || text.contains(" SELECT $1, "))
        } else {
            format!("{text} ").contains("org_id = $1 ")
        };
        assert!(bound, "{name} is not bound to org_id = $1");
        // Every table of a tenant that a statement changes or joins is bound, not only the first.
        let tables =
            text.matches(" grants").count().min(1) + text.matches(" memberships").count().min(1);
        let bindings = text.matches("org_id = $1 ").count();
        assert!(
            tables <= bindings.max(1),
            "{name} joins two tenant tables: bind both"
        );
    }
    // Whatever touches a tenant table is either tenant-scoped or on this list, with its reason.
    let global = [
        "KEY_HOLDER",
        "ACCESSES", // a person's own organizations, and a session's grants there
        "RENEWAL",  // the same
        "MEMBERSHIPS_OF_USER", // a person's own organizations
        "FACTOR_REQUIRED_OF_USER", // the same
        "INVITATION_BY_TOKEN", // the token is the proof; no organization is known yet
    ];
    for (name, statement) in sql::ALL {
        let text = statement.sqlite();
        let touches = [
            "memberships",
            "invitations",
            "grants",
            "roles",
            "service_accounts",
            "service_keys",
        ]
        .iter()
        .any(|table| {
            ["FROM ", "INTO ", "UPDATE ", "JOIN "]
                .iter()
                .any(|verb| text.contains(&format!("{verb}{table}")))
        });
        assert!(
            !touches || name.starts_with("TENANT_") || global.contains(name),
            "{name}"
        );
    }
}

#[tokio::test]
async fn tables_are_strict_and_tenant_keys_begin_with_the_organization() {
    let (_dir, store) = store().await;
    let mut write = store.system_tx(&system()).await.unwrap();
    let rows = sqlx::query("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_cyprob%'")
        .fetch_all(write.connection())
        .await
        .unwrap();
    assert_eq!(rows.len(), 21);
    for row in &rows {
        let (name, strict): (String, bool) = (row.get("name"), row.get("strict"));
        assert!(strict, "{name} is not STRICT");
    }
    for table in [
        "memberships",
        "invitations",
        "grants",
        "roles",
        "service_accounts",
        "service_keys",
    ] {
        let first: String =
            sqlx::query_scalar("SELECT name FROM pragma_table_info($1) WHERE pk = 1")
                .bind(table)
                .fetch_one(write.connection())
                .await
                .unwrap();
        assert_eq!(first, "org_id", "{table}");
    }
}

#[tokio::test]
async fn connections_are_durable_private_and_readers_cannot_write() {
    let (dir, store) = store().await;
    let mut write = store.system_tx(&system()).await.unwrap();
    let text = |name: &'static str| sqlx::query_scalar::<_, String>(name);
    let number = |name: &'static str| sqlx::query_scalar::<_, i64>(name);
    let mode = text("PRAGMA journal_mode")
        .fetch_one(write.connection())
        .await
        .unwrap();
    assert_eq!(mode, "wal");
    for (name, expected) in [
        ("PRAGMA synchronous", 2),
        ("PRAGMA foreign_keys", 1),
        ("PRAGMA trusted_schema", 0),
        ("PRAGMA query_only", 0),
        ("PRAGMA busy_timeout", 5_000),
    ] {
        let found = number(name).fetch_one(write.connection()).await.unwrap();
        assert_eq!(found, expected, "{name}");
    }
    drop(write);
    let written = sqlx::query(sql::CLOSE_BOOTSTRAP.sqlite())
        .bind(1_i64)
        .execute(&store.opened.reader)
        .await;
    assert!(written.is_err());
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 4);
}

#[tokio::test]
async fn one_process_at_a_time() {
    let (dir, store) = store().await;
    let path = dir.path().join("db");
    let second = SqliteStore::open(&path, &SqliteOptions::default()).await;
    assert!(matches!(second, Err(OpenError::InUse { .. })));
    store.close().await;
    drop(store);
    SqliteStore::open(&path, &SqliteOptions::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn refuses_a_newer_schema_and_an_exposed_file() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, store) = store().await;
    let path = dir.path().join("db");
    let mut write = store.system_tx(&system()).await.unwrap();
    sqlx::query("INSERT INTO _cyprob_core_migrations (version, description, installed_on, success, checksum, execution_time) VALUES (9999, 'later', '2030-01-01', 1, x'00', 0)")
        .execute(write.connection())
        .await
        .unwrap();
    write.commit().await.unwrap();
    store.close().await;
    drop(store);
    let newer = SqliteStore::open(&path, &SqliteOptions::default()).await;
    assert!(
        matches!(newer, Err(OpenError::Newer { found: 9999, .. })),
        "{newer:?}"
    );

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = SqliteStore::open(&path, &SqliteOptions::default()).await;
    assert!(matches!(exposed, Err(OpenError::Exposed { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aborted_writer_leaves_nothing_open() {
    let (_dir, store) = store().await;
    for n in 0..200_u32 {
        let theirs = store.clone();
        let task = tokio::spawn(async move {
            let mut write = theirs.system_tx(&system()).await.unwrap();
            let _ = sqlx::query("UPDATE bootstrap SET expires_at = 1")
                .execute(write.connection())
                .await;
            tokio::task::yield_now().await;
            drop(write);
        });
        for _ in 0..n % 7 {
            tokio::task::yield_now().await;
        }
        task.abort();
    }
    let mut write = store.system_tx(&system()).await.unwrap();
    let row = sqlx::query(sql::READ_BOOTSTRAP.sqlite())
        .fetch_one(write.connection())
        .await
        .unwrap();
    assert_eq!(
        Columns::of(&row, "bootstrap")
            .optional_time("expires_at")
            .unwrap(),
        None
    );
}

async fn write_one(store: &SqliteStore, number: i64) -> super::SystemTx {
    let mut write = store.system_tx(&system()).await.unwrap();
    let insert = "INSERT INTO failures (subject, kind, failures, last_failed_at, told) VALUES ($1, 1, $2, 0, FALSE)";
    sqlx::query(insert)
        .bind(i128::from(number).to_be_bytes().to_vec())
        .bind(number)
        .execute(write.connection())
        .await
        .unwrap();
    write
}

async fn written(store: &SqliteStore) -> Vec<i64> {
    sqlx::query_scalar("SELECT failures FROM failures ORDER BY failures")
        .fetch_all(&store.opened.reader)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_writers_each_commits_or_takes_back_its_own() {
    let (dir, store) = store().await;
    let tasks: Vec<_> = (1..=400_i64)
        .map(|number| {
            let store = store.clone();
            let task = tokio::spawn(async move {
                let write = write_one(&store, number).await;
                match number % 4 {
                    0 | 1 => write.commit().await.unwrap(),
                    2 => drop(write),
                    // Its caller leaves before, while or after it commits.
                    _ => {
                        let leaves = tokio::spawn(write.commit());
                        tokio::task::yield_now().await;
                        leaves.abort();
                    }
                }
                // Nothing is acknowledged that another connection does not see.
                if number % 4 < 2 {
                    assert!(written(&store).await.contains(&number));
                }
            });
            (number, task)
        })
        .collect();
    for (number, task) in tasks {
        assert!(task.await.is_ok(), "{number}");
    }
    store.close().await;
    drop(store);
    let path = dir.path().join("db");
    let again = SqliteStore::open(&path, &SqliteOptions::default()).await;
    let found = written(&again.unwrap()).await;
    let kept = |number: &i64| found.contains(number);
    assert!((1..=400).filter(|it| it % 4 < 2).all(|it| kept(&it)));
    assert!(!(1..=400).filter(|it| it % 4 == 2).any(|it| kept(&it)));
}
