//! Which files are opened as a database, and which are refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking"
)]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use cyprob_core::adapters::sqlite::{OpenError, SqliteOptions, SqliteStore};
use cyprob_core::domain::audit::{Action, AuditEvent, Resource};
use cyprob_core::domain::{Caller, Timestamp};
use cyprob_core::ports::store::Outbox;
use cyprob_core::ports::{Entropy, EntropyExt};
use cyprob_core::testkit::SeededEntropy;

const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

async fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, &SqliteOptions::default()).await
}

fn event(entropy: &dyn Entropy) -> AuditEvent {
    let on = Resource::new("thing", "one");
    AuditEvent::new(
        entropy.id(AT),
        AT,
        &Caller::operator(),
        Action::AuditRead,
        on,
    )
}

#[tokio::test]
async fn a_second_opening_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let first = open(&path).await.unwrap();
    let clone = first.clone();
    for _ in 0..2 {
        let second = open(&path).await;
        let Err(OpenError::InUse { path: named }) = &second else {
            panic!("{second:?}")
        };
        assert_eq!(named, &path);
    }
    drop(first);
    assert!(matches!(open(&path).await, Err(OpenError::InUse { .. })));
    drop(clone);
    open(&path).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = open(&path).await.unwrap();
    let system = cyprob_core::domain::SystemCtx::operator("to age the schema");
    let mut tx = store.system_tx(&system).await.unwrap();
    for version in [9_998_i64, 9_999] {
        sqlx::query("INSERT INTO _cyprob_core_migrations (version, description, installed_on, success, checksum, execution_time) VALUES ($1, 'later', '2030-01-01', 1, x'00', 0)")
            .bind(version)
            .execute(tx.connection())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    store.close().await;
    drop(store);
    let before = std::fs::read(&path).unwrap();
    let newer = open(&path).await;
    let Err(OpenError::Newer {
        component: "cyprob-core",
        found: 9_999,
        known,
    }) = &newer
    else {
        panic!("{newer:?}")
    };
    let known = format!(" {known},");
    let text = newer.unwrap_err().to_string();
    assert!(text.contains("9999") && text.contains(&known), "{text}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn what_is_no_private_plain_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    std::fs::create_dir(place("folder")).unwrap();
    open(&place("target")).await.unwrap().close().await;
    symlink(place("target"), place("link")).unwrap();
    symlink(place("nowhere"), place("dangling")).unwrap();
    std::fs::copy(place("target"), place("shown")).unwrap();
    std::fs::set_permissions(place("shown"), PermissionsExt::from_mode(0o640)).unwrap();
    let pipe = Command::new("mkfifo").arg(place("pipe")).status().unwrap();
    assert!(pipe.success());
    for suffix in ["wal", "shm", "journal", "lock"] {
        let name = format!("beside.{suffix}");
        let link = if suffix == "lock" {
            place(&format!("{name}.lock"))
        } else {
            place(&format!("{name}-{suffix}"))
        };
        symlink(place("target"), link).unwrap();
    }
    let names = [
        "folder",
        "link",
        "dangling",
        "shown",
        "pipe",
        "beside.wal",
        "beside.shm",
        "beside.journal",
        "beside.lock",
    ];
    for name in names {
        let refused = open(&place(name)).await;
        assert!(
            matches!(refused, Err(OpenError::Exposed { .. })),
            "{name}: {refused:?}"
        );
    }
    assert!(!place("nowhere").exists());
    for name in ["missing/db", "target/db"] {
        let refused = open(&place(name)).await;
        assert!(
            matches!(refused, Err(OpenError::Unavailable { .. })),
            "{name}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good");
    let store = open(&good).await.unwrap();
    store.close().await;
    drop(store);
    let good = std::fs::read(&good).unwrap();
    let mut flipped = good.clone();
    flipped[20] ^= 0xff;
    let mut torn = good.clone();
    torn.truncate(good.len() / 2 + 7);
    let texts: [(&str, Vec<u8>); 4] = [
        ("text", b"not a database, and long enough to have a header of one hundred bytes if it were: it is not".repeat(2)),
        ("page", vec![0xa5; 8_192]),
        ("flipped", flipped),
        ("torn", torn),
    ];
    for (name, bytes) in texts {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        let refused = open(&path).await;
        assert!(
            matches!(
                refused,
                Err(OpenError::Unavailable { .. } | OpenError::Migration { .. })
            ),
            "{name}: {refused:?}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name} was changed");
    }
}

#[tokio::test]
async fn odd_names_are_only_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        ":memory:",
        "file:x?mode=memory",
        "a b%20?vfs=none#c",
        "\u{fc}\u{1f980}.db",
        "-x",
    ] {
        let path = folder.path().join(name);
        let store = open(&path).await.unwrap();
        store
            .record(&[event(&SeededEntropy::new(5))])
            .await
            .unwrap();
        store.close().await;
        drop(store);
        assert!(path.metadata().unwrap().len() > 0, "{name}");
        let store = open(&path).await.unwrap();
        assert_eq!(store.pending(10).await.unwrap().len(), 1, "{name}");
    }
}
