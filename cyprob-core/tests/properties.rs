//! The promises about sessions and tenants, over each store.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test reports by panicking, and tells its distribution"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cyprob_core::adapters::memory::MemoryStore;
use cyprob_core::adapters::postgres::Component;
use cyprob_core::adapters::sqlite::{SqliteOptions, SqliteStore};
use cyprob_core::ports::store::IdentityStore;
use cyprob_core::testkit::postgres::{Cleared, Template};
use cyprob_core::testkit::{Tally, properties};

async fn memory() -> Arc<dyn IdentityStore> {
    Arc::new(MemoryStore::new())
}

/// A new database for each call, in one directory.
///
/// Where there is a file system in memory it lies there: these promises are not
/// about what a power cut leaves, and each commit would wait for the disk.
struct Databases {
    home: tempfile::TempDir,
    count: AtomicU32,
}

impl Databases {
    fn new() -> Self {
        let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self {
            home: home.unwrap(),
            count: AtomicU32::new(0),
        }
    }

    async fn fresh(&self) -> Arc<dyn IdentityStore> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        // No property holds more than two at a time; the others would fill a small memory.
        if let Some(old) = number.checked_sub(4) {
            for ending in ["db", "db-wal", "db-shm"] {
                let _ = std::fs::remove_file(self.home.path().join(format!("{old}.{ending}")));
            }
        }
        let path = self.home.path().join(format!("{number}.db"));
        let options = SqliteOptions::default().with_readers(1);
        Arc::new(SqliteStore::open(&path, &options).await.unwrap())
    }
}

fn told(what: &str, tally: &Tally) {
    println!("{what}: {tally}");
    assert_eq!(tally.rarer_than(5.0), Vec::<&str>::new(), "{what}: {tally}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ses_1_memory() {
    told("SES-1, memory", &properties::ses_1(memory).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ses_1_sqlite() {
    let databases = Databases::new();
    told(
        "SES-1, SQLite",
        &properties::ses_1(|| databases.fresh()).await,
    );
}

#[tokio::test]
async fn ses_2_memory() {
    told("SES-2, memory", &properties::ses_2(memory).await);
}

#[tokio::test]
async fn ses_2_sqlite() {
    let databases = Databases::new();
    told(
        "SES-2, SQLite",
        &properties::ses_2(|| databases.fresh()).await,
    );
}

#[tokio::test]
async fn auth_2_memory() {
    told("AUTH-2, memory", &properties::auth_2(memory).await);
}

#[tokio::test]
async fn auth_2_sqlite() {
    let databases = Databases::new();
    told(
        "AUTH-2, SQLite",
        &properties::auth_2(|| databases.fresh()).await,
    );
}

#[tokio::test]
async fn iso_1_memory() {
    told("ISO-1, memory", &properties::iso_1(memory).await);
}

#[tokio::test]
async fn iso_1_sqlite() {
    let databases = Databases::new();
    told(
        "ISO-1, SQLite",
        &properties::iso_1(|| databases.fresh()).await,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mfa_1_memory() {
    told("MFA-1, memory", &properties::mfa_1(memory).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mfa_1_sqlite() {
    let databases = Databases::new();
    told(
        "MFA-1, SQLite",
        &properties::mfa_1(|| databases.fresh()).await,
    );
}

#[tokio::test]
async fn mfa_2_memory() {
    told("MFA-2, memory", &properties::mfa_2(memory).await);
}

#[tokio::test]
async fn mfa_2_sqlite() {
    let databases = Databases::new();
    told(
        "MFA-2, SQLite",
        &properties::mfa_2(|| databases.fresh()).await,
    );
}

#[tokio::test]
async fn ses_3_memory() {
    told("SES-3, memory", &properties::ses_3(memory).await);
}

#[tokio::test]
async fn ses_3_sqlite() {
    let databases = Databases::new();
    told(
        "SES-3, SQLite",
        &properties::ses_3(|| databases.fresh()).await,
    );
}

#[tokio::test]
async fn authz_5_memory() {
    told("AUTHZ-5, memory", &properties::authz_5(memory).await);
}

#[tokio::test]
async fn authz_5_sqlite() {
    let databases = Databases::new();
    told(
        "AUTHZ-5, SQLite",
        &properties::authz_5(|| databases.fresh()).await,
    );
}

mod over_postgres {
    use super::*;

    static EMPTY: Template = Template::new(|| vec![Component::CORE]);

    async fn fresh(databases: &Cleared) -> Arc<dyn IdentityStore> {
        Arc::new(databases.store().await)
    }

    macro_rules! holds {
        ($what:literal, $property:path) => {
            let databases = Cleared::new(&EMPTY);
            let tally = $property(|| fresh(&databases)).await;
            told(concat!($what, ", PostgreSQL"), &tally);
        };
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ses_1() {
        holds!("SES-1", properties::ses_1);
    }

    #[tokio::test]
    async fn ses_2() {
        holds!("SES-2", properties::ses_2);
    }

    #[tokio::test]
    async fn ses_3() {
        holds!("SES-3", properties::ses_3);
    }

    #[tokio::test]
    async fn auth_2() {
        holds!("AUTH-2", properties::auth_2);
    }

    #[tokio::test]
    async fn iso_1() {
        holds!("ISO-1", properties::iso_1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn mfa_1() {
        holds!("MFA-1", properties::mfa_1);
    }

    #[tokio::test]
    async fn mfa_2() {
        holds!("MFA-2", properties::mfa_2);
    }

    #[tokio::test]
    async fn authz_5() {
        holds!("AUTHZ-5", properties::authz_5);
    }
}
