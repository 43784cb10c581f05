//! The task that gives a pool its credentials.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::ports::Clock;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::draining::drained;
use super::live_pool::sign_in;
use super::parking::Parking;
use super::state::State;
use super::watching::Watching;
use crate::domain::Credentials;

/// How often the end of the credentials is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long before their end credentials are used no more: a query needs some of it.
const MARGIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

pub(super) struct Feeding {
    pub(super) pool: PgPool,
    pub(super) state: Arc<State>,
    pub(super) place: PgConnectOptions,
    pub(super) parking: Parking,
    /// Whether new connections are made to where nobody answers.
    pub(super) parked: bool,
    pub(super) newest: watch::Receiver<Arc<Credentials>>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Feeding {
    pub(super) async fn run(mut self) {
        let mut tasks = JoinSet::new();
        tasks.spawn(Watching::new(Arc::clone(&self.state), self.place.clone()).run());
        let closed = self.pool.close_event();
        tokio::pin!(closed);
        let mut kept = true;
        let state = Arc::clone(&self.state);
        loop {
            let credentials = self.state.credentials();
            let doubted = credentials.is_doubted();
            let suspected = self.state.is_suspected();
            let wait = self.park_or_not(&credentials, doubted || suspected);
            let doubt_changed = credentials.doubted(!doubted);
            drop(credentials);
            tokio::select! {
                () = &mut closed => {
                    // Whoever waits for others does not hold the end up.
                    self.leave();
                    return self.pool.close().await;
                }
                () = tokio::time::sleep(wait) => {}
                () = doubt_changed => {}
                () = state.suspected(!suspected) => {}
                Some(_) = tasks.join_next() => {}
                changed = self.newest.changed(), if kept => match changed {
                    Ok(()) => {
                        // On its own: those before are held as long as the pool has connections of theirs.
                        tokio::spawn(self.replaced());
                    }
                    Err(_) => {
                        tracing::warn!("nobody keeps the database credentials any more; they are used as they are");
                        kept = false;
                        tasks.abort_all();
                        self.leave();
                    }
                },
            }
        }
    }

    /// Signs in with the newest from now on; what comes back waits for the end of those before.
    fn replaced(&mut self) -> impl Future<Output = ()> + Send + 'static {
        let next = Arc::clone(&self.newest.borrow_and_update());
        self.pool.set_connect_options(sign_in(&self.place, &next));
        let old = self.state.replace(next);
        self.parked = false;
        self.state.park(false);
        drained(self.pool.clone(), old, Arc::clone(&self.clock))
    }

    /// Lets nobody sign in whose credentials are about to end or in doubt, as long as there can be
    /// others; says when to look again.
    fn park_or_not(&mut self, credentials: &Credentials, in_doubt: bool) -> Duration {
        let lease = credentials.lease();
        let (least, most) = MARGIN;
        let margin = (lease.term() / 20).clamp(least, most);
        let left = lease.left(self.clock.now()).saturating_sub(margin);
        let over = left.is_zero();
        let parked = self.state.is_fed() && (over || in_doubt);
        if parked && !self.parked {
            let why = if over { "about to end" } else { "in doubt" };
            tracing::warn!("database credentials are {why}; new connections wait");
            self.pool.set_connect_options(self.parking.options());
        } else if !parked && self.parked {
            self.unpark(credentials);
        }
        self.parked = parked;
        // Sessions of a user that is there go on.
        self.state.park(over || self.state.is_lost());
        match over {
            true if parked => LOOK / 20,
            true => LOOK,
            false => left.min(LOOK),
        }
    }

    /// Nobody would end the wait any more.
    fn leave(&mut self) {
        self.state.leave();
        if std::mem::take(&mut self.parked) {
            self.unpark(&self.state.credentials());
        }
    }

    fn unpark(&self, credentials: &Credentials) {
        let options = sign_in(&self.place, credentials);
        self.pool.set_connect_options(options);
    }
}

impl Drop for Feeding {
    fn drop(&mut self) {
        self.leave();
    }
}
