//! A pool that works with leased credentials.

use std::fmt;
use std::sync::Arc;

use cyprob_core::ports::Clock;
use secrecy::ExposeSecret;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::feeding::Feeding;
use super::parking::Parking;
use super::sql;
use super::standing::{self, Standing};
use super::state::State;
use crate::domain::Credentials;

/// Credentials of a database that are replaced from time to time, for pools to work with.
#[derive(Clone, Debug)]
pub struct DatabaseCredentials {
    newest: watch::Receiver<Arc<Credentials>>,
    clock: Arc<dyn Clock>,
}

/// A pool that signs in with the newest credentials, whenever they are replaced.
///
/// What was made with those before is closed when it is idle or comes back;
/// when none is left of them, the pool lets go of them, and they are taken
/// back at their source. No query fails of it.
///
/// If credentials are about to end and there are no others (their source is
/// out of reach), nobody is given a connection until there are: who asks
/// waits, at most for the pool's `acquire_timeout`. It fails, if ever, with
/// that timeout, and not with a password that is wrong.
///
/// The same holds when the server does not know the user any more, because somebody revoked the
/// lease: that is asked of each connection before it is given out (in place of the pool's own
/// test, so not where `test_before_acquire` is off), and once a second on one connection beside
/// those of the pool (every half a minute while the server lets it sign in and answers nothing). The credentials are [doubted](Credentials::doubt) then, and what fails is
/// what was being asked at that moment.
///
/// When it drops, or its keeper is gone, the pool keeps the credentials that it has, and nobody
/// waits for others: when they are over, it fails with what the server says.
pub struct LivePool {
    pool: PgPool,
    state: Arc<State>,
    task: AbortHandle,
}

/// Why there is no pool.
#[derive(Debug, thiserror::Error)]
#[error("database unavailable")]
pub struct LivePoolError {
    #[source]
    source: sqlx::Error,
}

impl DatabaseCredentials {
    /// Takes each credentials as they come.
    #[must_use]
    pub fn new(newest: watch::Receiver<Arc<Credentials>>, clock: Arc<dyn Clock>) -> Self {
        Self { newest, clock }
    }

    /// Opens a pool that works with them.
    ///
    /// It makes one connection more than `options` allow, to see what becomes of its user.
    /// Of `place`, user and password are replaced. Of `options`, `after_connect`,
    /// `before_acquire` and `after_release` are: they are ours.
    ///
    /// # Errors
    ///
    /// [`LivePoolError`] if no first connection can be made.
    pub async fn feed(
        mut self,
        options: PgPoolOptions,
        place: PgConnectOptions,
    ) -> Result<LivePool, LivePoolError> {
        let parking = Parking::new().map_err(sqlx::Error::Io)?;
        let first = Arc::clone(&self.newest.borrow_and_update());
        let signed_in = sign_in(&place, &first);
        let state = Arc::new(State::new(first));
        let pool = watched(options, &state).connect_with(signed_in).await?;
        let feeding = Feeding {
            pool: pool.clone(),
            state: Arc::clone(&state),
            place,
            parking,
            parked: false,
            newest: self.newest,
            clock: self.clock,
        };
        let task = tokio::spawn(feeding.run()).abort_handle();
        Ok(LivePool { pool, state, task })
    }
}

/// Lets the pool give out only what was made with the credentials in use.
fn watched(options: PgPoolOptions, state: &Arc<State>) -> PgPoolOptions {
    let (made, given, back) = (Arc::clone(state), Arc::clone(state), Arc::clone(state));
    let tested = options.get_test_before_acquire();
    options
        // In its place we ask whether the user is there, which is one round trip too.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let state = Arc::clone(&made);
            Box::pin(async move {
                let name: String = sqlx::query_scalar(sql::SIGNED_IN_AS)
                    .fetch_one(connection)
                    .await?;
                // Where they were replaced on the way it serves once, and is closed.
                state.made_as(&name);
                Ok(())
            })
        })
        .before_acquire(move |session, connection| {
            let state = Arc::clone(&given);
            let asked = Instant::now();
            Box::pin(async move {
                loop {
                    state.unparked().await;
                    let credentials = state.credentials();
                    let is_old = || state.is_old(connection.age + asked.elapsed());
                    if is_old() {
                        return Ok(false);
                    }
                    if !tested {
                        return Ok(true);
                    }
                    match standing::asked(&mut *session).await? {
                        Standing::Holds => return Ok(true),
                        // It says nothing of those that replaced its own meanwhile.
                        _ if is_old() => return Ok(false),
                        // What is open may go on.
                        Standing::Refused => {
                            credentials.doubt();
                            return Ok(true);
                        }
                        Standing::Gone if !state.is_fed() => return Ok(false),
                        Standing::Gone => state.lost(&credentials),
                    }
                }
            })
        })
        .after_release(move |_, connection| {
            let old = back.is_old(connection.age);
            Box::pin(async move { Ok(!old) })
        })
}

pub(super) fn sign_in(place: &PgConnectOptions, credentials: &Credentials) -> PgConnectOptions {
    place
        .clone()
        .username(credentials.username())
        .password(credentials.password().expose_secret())
}

impl LivePool {
    /// The pool; a clone of it works with the newest credentials too, as long as this handle lives.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The number of the credentials that it signs in with.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.state.credentials().generation()
    }

    /// Whether nobody is given a connection now, because the credentials are over or revoked and
    /// there are no others.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.state.is_parked()
    }
}

impl Drop for LivePool {
    fn drop(&mut self) {
        self.task.abort();
        self.state.leave();
    }
}

impl From<sqlx::Error> for LivePoolError {
    fn from(source: sqlx::Error) -> Self {
        Self { source }
    }
}

impl fmt::Debug for LivePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivePool")
            .field("size", &self.pool.size())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
