//! The connections that are open, handed on as they were left.
//!
//! The pool of sqlx sends a message on each connection that comes back and
//! waits for its answer in a task of its own: one statement costs two round
//! trips, and wakes the server twice. Here whoever leaves a connection in an
//! unknown state keeps it from coming back, by [`Guarded`], and all others are
//! used again without a word.

use std::fmt;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Error, PgConnection};
use tokio::time::{Instant, sleep, timeout};

/// Older connections are replaced.
const LIFETIME: Duration = Duration::from_secs(3_600);
/// Connections that nobody needed for so long are closed.
const IDLE: Duration = Duration::from_secs(600);
/// How often is looked for those.
const TRIM_EVERY: Duration = Duration::from_secs(60);
/// The shortest and the longest time in which a server that cannot take a connection yet is left alone.
const STARTING: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));
/// How long one attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long connections at work are waited for at the end.
const ENDING: Duration = Duration::from_secs(40);

/// A connection that comes back when it is dropped.
pub(super) type Lent = Object<Connecting>;

/// Makes connections, until the end.
pub(super) struct Connecting {
    options: PgConnectOptions,
    closed: AtomicBool,
    /// Why the last attempt that is repeated came to nothing.
    refusal: Mutex<Option<Error>>,
}

impl fmt::Debug for Connecting {
    /// The options would tell the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connecting")
    }
}

impl Connecting {
    fn refusal(&self) -> MutexGuard<'_, Option<Error>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl managed::Manager for Connecting {
    type Type = PgConnection;
    type Error = Error;

    /// Connects; a server that is starting or full is waited for as long as the caller waits.
    async fn create(&self) -> Result<PgConnection, Error> {
        let mut pause = STARTING.0;
        while !self.closed.load(Ordering::Acquire) {
            // Boxed, or every operation would be as large as what connects.
            match Box::pin(timeout(CONNECT, self.options.connect())).await {
                Ok(Err(error)) if is_transient(&error) => {
                    *self.refusal() = Some(error);
                    sleep(pause).await;
                }
                Ok(done) => {
                    *self.refusal() = None;
                    return done;
                }
                Err(_) => return Err(Error::PoolTimedOut),
            }
            pause = (pause * 2).min(STARTING.1);
        }
        Err(Error::PoolClosed)
    }

    async fn recycle(&self, _: &mut PgConnection, metrics: &Metrics) -> RecycleResult<Error> {
        if metrics.age() < LIFETIME {
            Ok(())
        } else {
            Err(RecycleError::message("its time is over"))
        }
    }
}

/// Whether the server may take a connection in a moment: nobody listens yet, it says that it
/// comes up, or others have all the connections there may be.
fn is_transient(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        Error::Database(error) => error
            .code()
            .is_some_and(|code| code == "57P03" || code == "53300"),
        _ => false,
    }
}

/// Connections to one database under one role.
#[derive(Debug)]
pub(super) struct Pool {
    connections: managed::Pool<Connecting>,
    since: Instant,
    /// When the last trim was, in seconds since `since`.
    trimmed: AtomicU64,
}

impl Pool {
    pub(super) fn new(connect: PgConnectOptions, most: usize) -> Result<Self, Error> {
        let connecting = Connecting {
            options: connect,
            closed: AtomicBool::new(false),
            refusal: Mutex::new(None),
        };
        let connections = managed::Pool::builder(connecting)
            .max_size(most)
            // The last one used knows the most; the others grow idle and are closed.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| Error::Configuration(error.into()))?;
        Ok(Self {
            connections,
            since: Instant::now(),
            trimmed: AtomicU64::new(0),
        })
    }

    /// How a connection is made.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.connections.manager().options.clone()
    }

    /// Why the last attempt to connect came to nothing; told once.
    pub(super) fn take_refusal(&self) -> Option<Error> {
        self.connections.manager().refusal().take()
    }

    /// A connection, when there is one; the caller says how long to wait.
    pub(super) async fn lend(&self) -> Result<Lent, Error> {
        self.trim();
        let lent = self.connections.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Closed => Error::PoolClosed,
            PoolError::Timeout(_) => Error::PoolTimedOut,
            error => Error::Configuration(error.into()),
        })?;
        if self.is_closed() {
            return Err(Error::PoolClosed);
        }
        Ok(lent)
    }

    /// Whether nothing is lent any more.
    pub(super) fn is_closed(&self) -> bool {
        self.connections.is_closed()
    }

    /// Closes the connections that nobody needs.
    fn trim(&self) {
        let now = self.since.elapsed().as_secs();
        let last = self.trimmed.load(Ordering::Relaxed);
        let due = now >= last.saturating_add(TRIM_EVERY.as_secs());
        let mine = || {
            let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
            self.trimmed.compare_exchange(last, now, set, get).is_ok()
        };
        if due && mine() {
            let needed = |_: &PgConnection, metrics: Metrics| metrics.last_used() < IDLE;
            for idle in self.connections.retain(needed).removed {
                bid_farewell(idle);
            }
        }
    }

    /// Lends no more, and closes all connections, those at work as soon as they come back.
    pub(super) async fn close(&self) {
        let closed = &self.connections.manager().closed;
        closed.store(true, Ordering::Release);
        self.connections.close();
        let ended = timeout(ENDING, async {
            loop {
                for idle in self.connections.retain(|_, _| false).removed {
                    // One that does not close is closed by being dropped.
                    let _ = idle.close().await;
                }
                let status = self.connections.status();
                // Those who wait may be connecting: such a connection counts once it is there.
                if status.size == 0 && status.waiting == 0 {
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        });
        if ended.await.is_err() {
            let left = self.connections.status().size;
            tracing::warn!(left, "connections to the database are still at work");
        }
    }
}

/// Tells the server, off the caller's path.
fn bid_farewell(connection: PgConnection) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(timeout(CONNECT, connection.close()));
    }
}

/// Closes its connection unless it is kept: nobody knows in what state it was left.
pub(super) struct Guarded(Option<Lent>);

impl Guarded {
    pub(super) const fn new(connection: Lent) -> Self {
        Self(Some(connection))
    }

    pub(super) fn get(&mut self) -> Result<&mut PgConnection, Error> {
        self.0.as_deref_mut().ok_or(Error::PoolClosed)
    }

    /// Whether it was just made, and has served nobody before.
    pub(super) fn is_new(&self) -> bool {
        let used = |lent| Lent::metrics(lent).recycle_count;
        self.0.as_ref().map_or(0, used) == 0
    }

    pub(super) fn keep(mut self) -> Result<Lent, Error> {
        self.0.take().ok_or(Error::PoolClosed)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            bid_farewell(Lent::take(connection));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_debug_text_tells_the_password() {
        let options = PgConnectOptions::new().password("hunter2hunter2");
        let pool = Pool::new(options, 2).unwrap();
        let told = format!("{pool:?}");
        assert!(told.contains("Connecting"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
