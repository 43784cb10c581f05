//! The promises about tokens that end, at the routes of whole deployments: SES-3 and SES-4.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test reports by panicking, and tells its distribution"
)]

mod ses_3;
mod ses_4;
mod site;

use cyprob::CheckMode;
use cyprob::core::testkit::Tally;
use site::{Site, Ways};

fn told(what: &str, tally: &Tally) {
    println!("{what}: {tally}");
    assert_eq!(tally.rarer_than(5.0), Vec::<&str>::new(), "{what}: {tally}");
}

#[tokio::test]
async fn ses_3_memory() {
    let site = Site::memory(&Ways::default()).await;
    told("SES-3, memory", &ses_3::holds(site).await);
}

#[tokio::test]
async fn ses_3_sqlite() {
    let site = Site::sqlite(&Ways::default()).await;
    told("SES-3, SQLite", &ses_3::holds(site).await);
}

#[tokio::test]
async fn ses_4_memory() {
    told(
        "SES-4, memory",
        &ses_4::holds(async |ways| Site::memory(&ways).await).await,
    );
}

#[tokio::test]
async fn ses_4_sqlite() {
    told(
        "SES-4, SQLite",
        &ses_4::holds(async |ways| Site::sqlite(&ways).await).await,
    );
}

mod over_postgres {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ses_3_two_nodes() {
        let site = Site::postgres(2, &Ways::default()).await;
        told("SES-3, PostgreSQL, two nodes", &ses_3::holds(site).await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ses_3_two_strict_nodes() {
        let ways = Ways {
            check: CheckMode::Strict,
            ..Ways::default()
        };
        let site = Site::postgres(2, &ways).await;
        told(
            "SES-3, PostgreSQL, two nodes that ask",
            &ses_3::holds(site).await,
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ses_4() {
        let site = async |mut ways: Ways| {
            // The feed's own bound would refuse tokens at each step of the clock.
            ways.check = CheckMode::Strict;
            Site::postgres(1, &ways).await
        };
        told("SES-4, PostgreSQL", &ses_4::holds(site).await);
    }
}
