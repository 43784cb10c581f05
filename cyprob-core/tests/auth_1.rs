//! AUTH-1 over real hashes: nobody learns from a refused sign-in what is wrong with it.
//!
//! Runs in the full test run, which says so by `CYPROB_FULL=1`, and in a process
//! of its own, one backend after the other, because time is measured.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test reports by panicking, and tells what it measured"
)]

use std::sync::Arc;

use cyprob_core::adapters::argon2::{Argon2Options, Argon2Pool, HashParams};
use cyprob_core::adapters::sqlite::{SqliteOptions, SqliteStore};
use cyprob_core::adapters::system::SystemEntropy;
use cyprob_core::ports::store::IdentityStore;
use cyprob_core::testkit::properties::{self, Hashers};
use tokio::sync::Mutex;

/// A pass more than today.
const OLD: (u32, u32, u32) = (19_456, 3, 1);

fn hashers() -> Hashers {
    let (memory, passes, lanes) = OLD;
    let old = HashParams::new(memory, passes, lanes).unwrap();
    let pool = |options: Argon2Options| {
        let options = options.with_threads(1);
        Arc::new(Argon2Pool::start(options, Arc::new(SystemEntropy)).unwrap())
    };
    Hashers {
        today: pool(Argon2Options::default().with_live([(HashParams::OWASP, 1), (old, 1)])),
        old: pool(Argon2Options::default().with_params(old).unwrap()),
    }
}

/// Measures over an empty store that is made anew for each attempt, with what must outlive it.
///
/// The bound stands; who cannot be told apart within it at first is asked more often, once.
async fn measured<S: IdentityStore, K>(backend: &str, store: impl AsyncFn() -> (S, K)) {
    static ALONE: Mutex<()> = Mutex::const_new(());
    if std::env::var("CYPROB_FULL").is_err() {
        println!("left out: CYPROB_FULL is not set; scripts/test sets it");
        return;
    }
    let _alone = ALONE.lock().await;
    for rounds in [500, 2_000] {
        let (store, _home) = store().await;
        let measured = properties::auth_1(Arc::new(store), hashers(), rounds).await;
        println!("AUTH-1, {backend}: {measured}");
        if measured.holds() {
            return;
        }
    }
    panic!("a refused sign-in tells what was wrong");
}

#[tokio::test]
async fn asvs_6_3_8_auth_1_a_refused_sign_in_does_not_say_what_was_wrong() {
    measured("SQLite", async || {
        let home = tempfile::tempdir().unwrap();
        let options = SqliteOptions::default().with_readers(1);
        let store = SqliteStore::open(&home.path().join("cyprob.db"), &options).await;
        (store.unwrap(), home)
    })
    .await;
}

mod over_postgres {
    use cyprob_core::adapters::postgres::Component;
    use cyprob_core::testkit::postgres::Template;

    use super::measured;

    static EMPTY: Template = Template::new(|| vec![Component::CORE]);

    #[tokio::test]
    async fn auth_1_a_refused_sign_in_does_not_say_what_was_wrong() {
        measured("PostgreSQL", async || {
            let database = EMPTY.database().await;
            (database.store().await, database)
        })
        .await;
    }
}
