//! Waiting until nothing is left that was made with credentials that were replaced.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::ports::Clock;
use sqlx::PgPool;
use tokio::time::{Instant, timeout};

use super::sql;
use crate::domain::Credentials;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(250);
/// A connection may be on its way for so long.
const ON_ITS_WAY: Duration = Duration::from_secs(5);
/// How long an answer may take: a server that gives none must not keep a place in the pool.
const PATIENCE: Duration = Duration::from_secs(5);

/// Holds credentials as long as connections of theirs are left, or to their end or that of the pool.
pub(super) async fn drained(pool: PgPool, old: Arc<Credentials>, clock: Arc<dyn Clock>) {
    let begun = Instant::now();
    while !old.lease().is_over(clock.now()) && !pool.is_closed() {
        tokio::time::sleep(LOOK).await;
        sweep(&pool, old.username()).await;
        let left = left(&pool, old.username()).await;
        if begun.elapsed() > ON_ITS_WAY && left == Some(0) {
            return;
        }
    }
}

/// Closes what is idle and was made with them, or cannot say with which it was.
async fn sweep(pool: &PgPool, username: &str) {
    for _ in 0..pool.num_idle() {
        let Some(mut connection) = pool.try_acquire() else {
            return;
        };
        let name = sqlx::query_scalar::<_, String>(sql::SIGNED_IN_AS).fetch_one(&mut *connection);
        let name = timeout(PATIENCE, name).await;
        if name.is_ok_and(|name| name.is_ok_and(|name| name != username)) {
            continue;
        }
        // In the background, within a time of its own.
        connection.close_on_drop();
    }
}

/// How many are left, if that can be known.
async fn left(pool: &PgPool, username: &str) -> Option<i64> {
    let mut connection = pool.acquire().await.ok()?;
    let count = sqlx::query_scalar(sql::CONNECTIONS_OF)
        .bind(username)
        .fetch_one(&mut *connection);
    let count = timeout(PATIENCE, count).await;
    if count.is_err() {
        connection.close_on_drop();
    }
    count.ok()?.ok()
}
