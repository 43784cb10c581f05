//! What lies between a pool and its database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::database::Database;
use crate::own_server::two_ports;

/// By what PostgreSQL ends a login, and whatever else it answers.
const READY: &[u8] = b"Z\0\0\0\x05I";

/// Passes bytes on, until it is dropped with every connection through it.
pub(super) struct Relay {
    ends: Ends,
    passing: JoinSet<()>,
    state: Arc<State>,
}

/// Where it listens, and where it passes on.
#[derive(Clone)]
pub(super) struct Ends {
    at: SocketAddr,
    to: String,
}

#[derive(Default)]
struct State {
    /// How many connections there were.
    made: AtomicU64,
    /// Whether whatever comes after a login gets no answer.
    mute: AtomicBool,
}

impl Relay {
    pub(super) async fn before(database: &Database) -> Self {
        let place = database.place();
        let to = format!("{}:{}", place.get_host(), place.get_port());
        let at = SocketAddr::from(([127, 0, 0, 1], two_ports()));
        Ends { at, to }.again().await
    }

    /// The database, through it.
    pub(super) fn place(&self, database: &Database) -> PgConnectOptions {
        let Ends { at, .. } = self.ends;
        database.place().host("127.0.0.1").port(at.port())
    }

    /// Ends every connection, and takes none.
    pub(super) async fn cut(mut self) -> Ends {
        self.passing.shutdown().await;
        self.ends
    }

    /// Lets connections be made and signed in on, and answers nothing else.
    pub(super) fn mute(&self) {
        self.state.mute.store(true, Ordering::SeqCst);
    }

    /// Answers again.
    pub(super) fn speak(&self) {
        self.state.mute.store(false, Ordering::SeqCst);
    }

    pub(super) fn made(&self) -> u64 {
        self.state.made.load(Ordering::SeqCst)
    }
}

impl Ends {
    pub(super) async fn again(self) -> Relay {
        let listener = TcpListener::bind(self.at).await.unwrap();
        let state = Arc::new(State::default());
        let mut passing = JoinSet::new();
        let (to, counted) = (self.to.clone(), Arc::clone(&state));
        passing.spawn(async move {
            let mut through = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                counted.made.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(to.clone()).await.unwrap();
                let (mut asks, hears) = client.into_split();
                let (says, mut told) = server.into_split();
                let state = Arc::clone(&counted);
                through.spawn(async move {
                    tokio::select! {
                        _ = tokio::io::copy(&mut asks, &mut told) => {}
                        _ = answers(says, hears, &state) => {}
                    }
                });
            }
        });
        Relay {
            ends: self,
            passing,
            state,
        }
    }
}

/// Passes the server's answers on, until it is to be mute and the login is over.
async fn answers(
    mut says: OwnedReadHalf,
    mut hears: OwnedWriteHalf,
    state: &State,
) -> std::io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    let mut signed_in = false;
    loop {
        let length = says.read(&mut buffer).await?;
        let said = &buffer[..length];
        if said.is_empty() {
            return Ok(());
        }
        if !(signed_in && state.mute.load(Ordering::SeqCst)) {
            hears.write_all(said).await?;
        }
        signed_in |= said.ends_with(READY);
    }
}
