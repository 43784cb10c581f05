//! Looking whether the server still knows the user with which a pool works.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::time::Instant;

use super::live_pool::sign_in;
use super::standing::{self, Standing};
use super::state::State;
use crate::domain::Credentials;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// How soon at first, and after the connection was lost: its user may be about to go.
const LOST: Duration = Duration::from_millis(20);
/// How long its user may yet go then: sessions are ended first.
const GOING: Duration = Duration::from_millis(250);
/// How long an answer may take; after that the server is out of reach, which says nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// How soon it is looked again where connections that were signed in on got none twice: each is
/// open until the server ends it.
const SILENT: Duration = Duration::from_secs(30);

/// Holds one connection, beside those of the pool: it is idle, so that its end is seen at once.
pub(super) struct Watching {
    state: Arc<State>,
    place: PgConnectOptions,
    /// Of which credentials it is.
    held: Option<(u64, PgListener)>,
    /// When a connection was lost, until it is known why.
    lost: Option<Instant>,
    /// Whether the last connection got no answer.
    silent: bool,
}

impl Watching {
    pub(super) const fn new(state: Arc<State>, place: PgConnectOptions) -> Self {
        Self {
            state,
            place,
            held: None,
            lost: None,
            silent: false,
        }
    }

    pub(super) async fn run(mut self) {
        let mut pause = LOST;
        loop {
            pause = match self.lost_within(pause).await {
                true => LOST,
                false => LOOK.min(pause * 2),
            };
            let credentials = self.state.credentials();
            self.held
                .take_if(|(generation, _)| *generation != credentials.generation());
            if self.state.is_parked() {
                self.clear();
                continue;
            }
            let begun = Instant::now();
            let looked = tokio::time::timeout(PATIENCE, self.look(&credentials)).await;
            match looked {
                Ok(Ok(Standing::Holds)) => {}
                Ok(Ok(Standing::Refused)) => credentials.doubt(),
                Ok(Ok(Standing::Gone)) => {
                    self.state.lost(&credentials);
                    self.held = None;
                }
                Ok(Err(_)) => self.held = None,
                Err(_) => {
                    self.clear();
                    pause = match self.held.take() {
                        Some(_) if std::mem::replace(&mut self.silent, true) => SILENT,
                        _ => LOOK,
                    };
                    continue;
                }
            }
            self.silent = false;
            if self.lost.is_some_and(|lost| lost + GOING <= begun) {
                self.clear();
            }
        }
    }

    /// Why the connection was lost is known now, or will not be.
    fn clear(&mut self) {
        self.lost = None;
        self.state.suspect(false);
    }

    /// Waits for so long, or until the connection is lost.
    async fn lost_within(&mut self, pause: Duration) -> bool {
        let Some((_, connection)) = &mut self.held else {
            tokio::time::sleep(pause).await;
            return false;
        };
        let heard = async {
            // Nobody notifies it of anything.
            while let Ok(Some(_)) = connection.try_recv().await {}
        };
        let lost = tokio::time::timeout(pause, heard).await.is_ok();
        if lost {
            // Until it is known why, who signs in anew waits: the user may be gone too.
            self.state.suspect(true);
            self.held = None;
            if self.lost.is_some() {
                // Again, and not without a pause.
                tokio::time::sleep(LOST).await;
            }
            self.lost.get_or_insert_with(Instant::now);
        }
        lost
    }

    async fn look(&mut self, credentials: &Credentials) -> Result<Standing, sqlx::Error> {
        if self.held.is_none() {
            match self.sign_in(credentials).await {
                Ok(connection) => self.held = Some((credentials.generation(), connection)),
                Err(error) => return standing::said(error),
            }
        }
        let Some((_, connection)) = &mut self.held else {
            return Ok(Standing::Holds);
        };
        standing::asked(connection).await
    }

    async fn sign_in(&self, credentials: &Credentials) -> Result<PgListener, sqlx::Error> {
        let one = PgPoolOptions::new()
            .max_connections(1)
            // It is given up before.
            .acquire_timeout(PATIENCE * 2)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(sign_in(&self.place, credentials));
        let mut connection = PgListener::connect_with(&one).await?;
        connection.eager_reconnect(false);
        Ok(connection)
    }
}
