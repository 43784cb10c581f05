//! Clients of a pool.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cyprob_secrets::adapters::postgres::LivePool;
use sqlx::PgPool;
use tokio::task::JoinSet;

/// Clients that ask as fast as they can.
pub(super) struct Load {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
    pub(super) counts: Arc<Counts>,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) run: AtomicU64,
    failed: Mutex<Vec<String>>,
    /// The longest that one took, in milliseconds.
    longest: AtomicU64,
}

impl Load {
    pub(super) fn on(clients: usize, live: &LivePool, table: &str) -> Self {
        let (stop, counts) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(Counts::default()),
        );
        let mut tasks = JoinSet::new();
        for client in 0..clients {
            let (pool, stop, counts) =
                (live.pool().clone(), Arc::clone(&stop), Arc::clone(&counts));
            let table = table.to_owned();
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    if let Err(error) = ask(&pool, &table, client).await {
                        let failure = format!("client {client}: {error}");
                        counts.failed.lock().unwrap().push(failure);
                    }
                    counts.run.fetch_add(1, Ordering::Relaxed);
                    let took = u64::try_from(begun.elapsed().as_millis()).unwrap();
                    counts.longest.fetch_max(took, Ordering::Relaxed);
                }
            });
        }
        Self {
            tasks,
            stop,
            counts,
        }
    }

    pub(super) async fn end(mut self) -> (u64, Vec<String>, u64) {
        self.stop.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let failed = std::mem::take(&mut *self.counts.failed.lock().unwrap());
        (read(&self.counts.run), failed, read(&self.counts.longest))
    }
}

/// A query, or for every fourth client a transaction of two that keeps its connection for a while.
pub(super) async fn ask(pool: &PgPool, table: &str, client: usize) -> Result<(), sqlx::Error> {
    let select = format!("SELECT n FROM {table}");
    if !client.is_multiple_of(4) {
        let _: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(select))
            .fetch_one(pool)
            .await?;
        return Ok(());
    }
    let mut transaction = pool.begin().await?;
    let select = || sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(select.clone()));
    select().fetch_one(&mut *transaction).await?;
    tokio::time::sleep(Duration::from_millis(20)).await;
    select().fetch_one(&mut *transaction).await?;
    transaction.commit().await
}
