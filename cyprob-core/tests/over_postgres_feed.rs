//! The feed of revocations: what one node revokes, another knows, whatever happened to its connection.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reports by panicking"
)]

mod over_postgres {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use cyprob_core::adapters::postgres::{Component, PostgresFeed};
    use cyprob_core::adapters::system::SystemClock;
    use cyprob_core::domain::{RevocationEntry, Timestamp};
    use cyprob_core::ports::{Clock, RevocationFeed};
    use cyprob_core::testkit::RecordingFeed;
    use cyprob_core::testkit::postgres::{Database, RUNTIME, Template};
    use sqlx::{AssertSqlSafe, PgConnection};

    static EMPTY: Template = Template::new(|| vec![Component::CORE]);

    /// Another node, which knows what it was told and when it was last up to date.
    #[derive(Debug, Default)]
    struct Node {
        told: RecordingFeed,
        as_of: AtomicI64,
    }

    impl RevocationFeed for Node {
        fn publish(&self, entries: &[RevocationEntry]) {
            self.told.publish(entries);
        }

        fn caught_up(&self, as_of: Timestamp) {
            self.as_of.fetch_max(as_of.as_micros(), Ordering::AcqRel);
        }
    }

    impl Node {
        fn knows(&self) -> usize {
            let mut told: Vec<_> = self
                .told
                .published()
                .into_iter()
                .map(|entry| format!("{entry:?}"))
                .collect();
            told.sort();
            told.dedup();
            told.len()
        }

        /// Waits until it knows so many, at most ten seconds; returns for how long.
        async fn until(&self, many: usize) -> Duration {
            let begun = tokio::time::Instant::now();
            while self.knows() < many {
                assert!(
                    begun.elapsed() < Duration::from_secs(10),
                    "{} of {many}",
                    self.knows()
                );
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            begun.elapsed()
        }
    }

    async fn run(connection: &mut PgConnection, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(connection)
            .await
            .unwrap();
    }

    /// One revocation that lives for an hour; ids are those of UUIDv7.
    fn revoke(number: u32) -> String {
        let until = SystemClock
            .now()
            .after(Duration::from_secs(3_600))
            .as_micros();
        format!(
            "INSERT INTO revocations (kind, subject, expires_at) \
             VALUES (1, '01900000-0000-7000-8000-{number:012x}', {until})"
        )
    }

    async fn feed(database: &Database, node: &Arc<Node>) -> PostgresFeed {
        PostgresFeed::new(
            database.store().await,
            Arc::clone(node) as _,
            Arc::new(SystemClock),
        )
    }

    /// A transaction that began first and commits last is not missed by who went by numbers.
    #[tokio::test]
    async fn a_late_commit_is_found() {
        let database = EMPTY.database().await;
        let node = Arc::new(Node::default());
        let mut feed = feed(&database, &node).await;
        let mut slow = database.connect(RUNTIME).await;
        let mut quick = database.connect(RUNTIME).await;
        run(&mut slow, &format!("BEGIN; {}", revoke(1))).await;
        run(&mut quick, &revoke(2)).await;
        assert_eq!(feed.look().await.unwrap(), 1);
        run(&mut quick, &revoke(3)).await;
        feed.look().await.unwrap();
        assert_eq!(node.knows(), 2);
        run(&mut slow, "COMMIT").await;
        feed.look().await.unwrap();
        assert_eq!(node.knows(), 3);
        // With nothing open, what is known is not read again.
        feed.look().await.unwrap();
        assert_eq!(feed.look().await.unwrap(), 0);
    }

    /// A notice brings it at once; what is committed while the connection is down comes after.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_revoked_while_a_connection_is_down_is_found_after_it() {
        let database = EMPTY.database().await;
        let node = Arc::new(Node::default());
        let following = tokio::spawn(feed(&database, &node).await.run());
        let mut other = database.connect(RUNTIME).await;
        let mut superuser = database.superuser().await;
        let mut number = 0;
        let mut slowest = Duration::ZERO;
        for round in 0..10_u32 {
            for _ in 0..10 {
                number += 1;
                run(&mut other, &revoke(number)).await;
            }
            let waited = node.until(number as usize).await;
            if round > 0 {
                slowest = slowest.max(waited);
            }
            run(
                &mut superuser,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE application_name = 'cyprob' AND pid <> pg_backend_pid() AND datname = current_database()",
            )
            .await;
            other = database.connect(RUNTIME).await;
        }
        println!(
            "10 connections cut, {number} revocations, all known; the slowest round took {slowest:?}"
        );
        let late = SystemClock.now().as_micros() - node.as_of.load(Ordering::Acquire);
        assert!(late < 5_000_000, "{late} µs old");
        following.abort();
    }
}
