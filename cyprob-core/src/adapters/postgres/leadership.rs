//! The lead as an advisory lock on a connection of its own.
//!
//! The lock lives as long as the connection's session. The leader asks on it
//! four times a second; one that does not get an answer within the second leads
//! no more. The server ends the session when it hears nothing for two seconds,
//! so a node that hangs holds the lead no longer than that, and one that dies
//! loses it with its connection.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Error, PgConnection};
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};

use super::PostgresOptions;
use super::open::within;
use crate::ports::store::StoreError;
use crate::ports::{Leadership, Term};

/// The number after that of the migrations' lock, which is the name `cyprob` in ASCII.
const TAKE: &str = "SELECT pg_try_advisory_lock(109352086306659)";
/// How often a leader asks whether it still leads.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How long it may take to be given the lead, or told that another node has it.
const TAKING: Duration = Duration::from_secs(5);
/// How long an answer to a leader may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// When the server ends the session of a node that it hears nothing of; milliseconds.
const SILENCE: &str = "2000";

/// Gives the lead of all nodes on one database.
pub struct PostgresLeadership {
    connect: PgConnectOptions,
    waiting: Mutex<Option<PgConnection>>,
}

impl fmt::Debug for PostgresLeadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresLeadership")
    }
}

impl PostgresLeadership {
    /// The lead in a database; connects at the first attempt to take it.
    #[must_use]
    pub fn new(options: &PostgresOptions) -> Self {
        let connect = options.connect().options([
            ("idle_session_timeout", SILENCE),
            ("statement_timeout", SILENCE),
            ("tcp_keepalives_idle", "1"),
            ("tcp_keepalives_interval", "1"),
            ("tcp_keepalives_count", "2"),
        ]);
        Self {
            connect,
            waiting: Mutex::new(None),
        }
    }
}

#[async_trait]
impl Leadership for PostgresLeadership {
    async fn take(&self) -> Result<Option<Arc<dyn Term>>, StoreError> {
        let mut waiting = self.waiting.lock().await;
        // Taken out, so that a failure closes it; it is opened anew the next time.
        let connection = waiting.take();
        let asked = within(TAKING, async {
            match connection {
                Some(connection) => match asked(connection, TAKE).await {
                    Ok(asked) => Ok(asked),
                    // The server has ended it, because nobody asked for a while.
                    Err(_) => asked(self.connect.connect().await?, TAKE).await,
                },
                None => asked(self.connect.connect().await?, TAKE).await,
            }
        });
        match asked.await? {
            (connection, true) => Ok(Some(PostgresTerm::begin(connection))),
            (connection, false) => {
                *waiting = Some(connection);
                Ok(None)
            }
        }
    }
}

/// A question with one answer; a connection on which it fails is closed.
async fn asked(
    mut connection: PgConnection,
    question: &'static str,
) -> Result<(PgConnection, bool), Error> {
    let answer = sqlx::query_scalar(question)
        .fetch_one(&mut connection)
        .await?;
    Ok((connection, answer))
}

/// The time in which this process holds the lock.
struct PostgresTerm {
    /// None once the term is over.
    connection: Mutex<Option<PgConnection>>,
    over: watch::Sender<bool>,
}

impl fmt::Debug for PostgresTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresTerm")
    }
}

impl PostgresTerm {
    fn begin(connection: PgConnection) -> Arc<dyn Term> {
        let term = Arc::new(Self {
            connection: Mutex::new(Some(connection)),
            over: watch::Sender::new(false),
        });
        tokio::spawn(watch_over(Arc::downgrade(&term)));
        term
    }
}

/// Asks until the term is over or nobody holds it.
async fn watch_over(term: Weak<PostgresTerm>) {
    loop {
        sleep(ASK_EVERY).await;
        match term.upgrade() {
            Some(term) if term.lasts().await => {}
            _ => return,
        }
    }
}

#[async_trait]
impl Term for PostgresTerm {
    async fn lasts(&self) -> bool {
        let mut held = self.connection.lock().await;
        // A caller that leaves in the middle closes it: nobody knows what was answered.
        if let Some(connection) = held.take()
            && let Ok(Ok((connection, true))) =
                timeout(PATIENCE, asked(connection, "SELECT true")).await
        {
            *held = Some(connection);
            return true;
        }
        self.over.send_replace(true);
        false
    }

    async fn over(&self) {
        // The sender lives as long as this does.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    async fn resign(&self) {
        if let Some(connection) = self.connection.lock().await.take() {
            // One that does not close is closed by being dropped.
            let _ = timeout(PATIENCE, connection.close()).await;
        }
        self.over.send_replace(true);
    }
}
