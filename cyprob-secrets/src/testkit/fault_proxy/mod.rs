//! A proxy on loopback that breaks what passes through it, as a test says.
//!
//! It stands in front of one HTTP/1.1 server and speaks plain HTTP on both
//! sides. Each request goes to the server over a connection of its own; the
//! answer is read to its end and passed on with a `content-length`, whatever
//! the server wrote it with. Clients may keep their connections.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use std::time::Duration;
//! use cyprob_secrets::testkit::fault_proxy::{Fault, FaultProxy};
//!
//! let proxy = FaultProxy::start("127.0.0.1:8200".parse().unwrap()).await?;
//! let address = proxy.url(); // the client under test is given this
//! proxy.inject(Fault::Hang); // every request
//! proxy.inject_on("/v1/auth/", Fault::Delay(Duration::from_secs(1))); // these alone otherwise
//! proxy.heal();
//! assert_eq!(proxy.requests_to("/v1/auth/"), 0);
//! # Ok(())
//! # }
//! ```
//!
//! A fault holds from the next request on, also on connections that are open,
//! and until it is replaced or healed. It ends nothing that is under way.

mod http;
mod serve;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// What happens to a request instead of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is passed on after so long.
    Delay(Duration),
    /// It is read and never answered.
    Hang,
    /// It is read, and the connection closed.
    Drop,
    /// It is read, and the connection reset.
    Reset,
    /// The connection is closed when it is made; one that is open, at its next request.
    ///
    /// By [`FaultProxy::inject_on`] it is closed at the request, whose path nobody knows earlier.
    Refuse,
    /// It is passed on; of the answer's body come so many bytes under the old length, then the end.
    Truncate(usize),
    /// The proxy answers with this status and this body, called JSON.
    Status {
        /// The status, such as 503.
        code: u16,
        /// The body.
        body: String,
    },
    /// The proxy answers 200 with a body that is no JSON.
    Garbage,
    /// The proxy answers 200 with a body of so many bytes.
    Huge(usize),
}

/// A proxy that runs until it is dropped, with every connection through it.
pub struct FaultProxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    task: AbortHandle,
}

/// What the proxy and its connections share.
struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    general: Option<Fault>,
    by_prefix: Vec<(String, Fault)>,
    /// The path of each request, in order.
    paths: Vec<String>,
    /// Bytes of huge bodies.
    huge: usize,
}

impl FaultProxy {
    /// Starts a proxy in front of a server, on a free port of loopback.
    ///
    /// It must be called within a Tokio runtime with I/O and time.
    ///
    /// # Errors
    ///
    /// If there is no port to listen on.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream,
            state: Mutex::default(),
        });
        let task = tokio::spawn(serve::run(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { addr, shared, task })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Lets every request meet this fault from now on, but for those of [`inject_on`](Self::inject_on).
    pub fn inject(&self, fault: Fault) {
        self.shared.state().general = Some(fault);
    }

    /// Lets the requests meet this fault whose path begins so; of several beginnings the longest counts.
    pub fn inject_on(&self, path_prefix: &str, fault: Fault) {
        let mut state = self.shared.state();
        state.by_prefix.retain(|(prefix, _)| prefix != path_prefix);
        state.by_prefix.push((path_prefix.to_owned(), fault));
    }

    /// Takes every fault back.
    pub fn heal(&self) {
        let mut state = self.shared.state();
        state.general = None;
        state.by_prefix.clear();
    }

    /// How many requests have reached it, those that met a fault among them.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.state().paths.len()
    }

    /// How many of them have a path that begins so.
    #[must_use]
    pub fn requests_to(&self, path_prefix: &str) -> usize {
        let state = self.shared.state();
        let begin = state.paths.iter().filter(|p| p.starts_with(path_prefix));
        begin.count()
    }

    /// How many bytes of [`Fault::Huge`] bodies the clients have let it write.
    #[must_use]
    pub fn huge_bytes(&self) -> usize {
        self.shared.state().huge
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether new connections are closed at once.
    fn refuses(&self) -> bool {
        self.state().general == Some(Fault::Refuse)
    }

    /// Counts a request, and says what it meets.
    fn met(&self, path: &str) -> Option<Fault> {
        let mut state = self.state();
        state.paths.push(path.to_owned());
        let begin = state.by_prefix.iter().filter(|(p, _)| path.starts_with(p));
        let longest = begin.max_by_key(|(prefix, _)| prefix.len());
        longest
            .map(|(_, fault)| fault.clone())
            .or_else(|| state.general.clone())
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}
