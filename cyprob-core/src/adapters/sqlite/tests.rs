use sqlx::Executor;
use sqlx::SqlSafeStr;

use super::*;

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
    let mut write = store.write().await.unwrap();
    for (name, text) in sql::ALL {
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
    for (name, text) in tenant {
        let bound = text.contains("org_id = $1") || text.contains("(org_id, ");
        assert!(bound, "{name} does not name org_id = $1");
    }
    // Whatever touches a tenant table is either tenant-scoped or on this list, with its reason.
    let global = [
        "MEMBERSHIPS_OF_USER", // a person's own organizations
        "INVITATION_BY_TOKEN", // the token is the proof; no organization is known yet
    ];
    for (name, text) in sql::ALL {
        let touches = ["memberships", "invitations", "grants"]
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
    let mut write = store.write().await.unwrap();
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
            let mut write = theirs.write().await.unwrap();
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
    let mut write = store.write().await.unwrap();
    let row = sqlx::query(sql::READ_BOOTSTRAP)
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
