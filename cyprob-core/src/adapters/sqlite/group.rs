//! The one connection that writes, and transactions that are made durable together.
//!
//! A commit waits for the disk, and the next transaction waited for the commit.
//! Here it goes on at once, in a savepoint of the same transaction of SQLite's,
//! and one COMMIT makes all of them durable, none of which was acknowledged
//! before. What a transaction takes back, and only that, is taken back to its
//! savepoint; a COMMIT that fails fails every one of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Error, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use tokio::time::timeout;

use crate::ports::store::StoreError;

/// The most transactions that one COMMIT makes durable.
const MOST: usize = 64;

/// The connection that writes, had by one transaction at a time.
pub(super) struct Writer {
    pool: SqlitePool,
    group: Arc<Mutex<Group>>,
    wait: Duration,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// Another transaction took too long.
#[derive(Debug, thiserror::Error)]
#[error("the connection that writes was not free in time")]
struct Busy;

/// Who committed them is gone.
#[derive(Debug, thiserror::Error)]
#[error("the process is ending")]
struct Ending;

/// What became of a COMMIT, for each whose transaction it holds.
type Done = Result<(), Arc<Error>>;

/// The transactions that the next COMMIT makes durable.
#[derive(Default)]
struct Group {
    /// INVARIANT: without it nobody waits
    tx: Option<sqlx::Transaction<'static, Sqlite>>,
    waiting: Vec<oneshot::Sender<Done>>,
}

impl Group {
    fn take(&mut self) -> (Option<sqlx::Transaction<'static, Sqlite>>, Waiting) {
        let Self { tx, waiting } = std::mem::take(self);
        (tx, Waiting(waiting))
    }

    async fn commit(&mut self) {
        if let (Some(tx), waiting) = self.take() {
            waiting.tell(&tx.commit().await.map_err(Arc::new));
        }
    }

    /// Takes everything back, of all of them.
    fn fail(&mut self, why: Error) {
        let (tx, waiting) = self.take();
        drop(tx);
        waiting.tell(&Err(Arc::new(why)));
    }

    /// Makes a transaction of SQLite's, or a savepoint in the one that there is.
    async fn begin(&mut self, pool: &SqlitePool) -> Result<(), Error> {
        let Some(tx) = self.tx.as_deref_mut() else {
            // The write lock is taken at once, so a lock error becomes a wait.
            self.tx = Some(pool.begin_with("BEGIN IMMEDIATE").await?);
            return Ok(());
        };
        sqlx::query("SAVEPOINT one").execute(tx).await.map(drop)
    }

    /// Takes the last transaction back; those before it stay.
    async fn back(&mut self) {
        let Some(tx) = self.tx.as_deref_mut() else {
            return;
        };
        if let Err(error) = sqlx::query("ROLLBACK TO one").execute(tx).await {
            self.fail(error);
        }
    }
}

/// Those who wait for a COMMIT.
struct Waiting(Vec<oneshot::Sender<Done>>);

impl Waiting {
    fn tell(self, done: &Done) {
        for one in self.0 {
            // Whoever left does not want to know.
            let _ = one.send(done.clone());
        }
    }
}

impl Writer {
    pub(super) fn over(pool: SqlitePool, wait: Duration) -> Self {
        Self {
            pool,
            group: Arc::default(),
            wait,
        }
    }

    /// The connection itself, for what is done before anything else.
    pub(super) const fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Begins a transaction when those that were asked for before are over.
    pub(super) async fn begin(&self) -> Result<Turn, StoreError> {
        match timeout(self.wait, self.turn()).await {
            Ok(turn) => turn,
            Err(_) => Err(StoreError::unavailable(Busy)),
        }
    }

    async fn turn(&self) -> Result<Turn, StoreError> {
        let mut group = Arc::clone(&self.group).lock_owned().await;
        if group.waiting.len() >= MOST {
            // Whoever leaves meanwhile does not stop it.
            let committed = tokio::spawn(async move {
                group.commit().await;
                group
            });
            group = committed.await.map_err(StoreError::unavailable)?;
        }
        group
            .begin(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(Turn {
            group: Some(group),
            writer: Arc::clone(&self.group),
        })
    }
}

/// One transaction that writes; dropping it takes it back.
pub(super) struct Turn {
    /// There until it is committed or dropped.
    group: Option<OwnedMutexGuard<Group>>,
    writer: Arc<Mutex<Group>>,
}

impl Turn {
    pub(super) fn connection(&mut self) -> Option<&mut SqliteConnection> {
        self.group.as_mut()?.tx.as_deref_mut()
    }

    /// Makes it durable, with those that wait for the connection now.
    ///
    /// Whoever leaves meanwhile does not stop it.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let (tell, done) = oneshot::channel();
        if let Some(mut group) = self.group.take() {
            let first = group.waiting.is_empty();
            group.waiting.push(tell);
            if first {
                // It waits behind those that wait for the connection by now.
                let writer = Arc::clone(&self.writer);
                tokio::spawn(async move { writer.lock_owned().await.commit().await });
            }
        }
        match done.await {
            Ok(done) => done.map_err(StoreError::unavailable),
            Err(_) => Err(StoreError::unavailable(Ending)),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(mut group) = self.group.take() else {
            return;
        };
        if group.waiting.is_empty() {
            // Alone: all of it goes back, off the caller's path.
            drop(group.take());
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move { group.back().await });
            }
            Err(_) => group.fail(Error::PoolClosed),
        }
    }
}
