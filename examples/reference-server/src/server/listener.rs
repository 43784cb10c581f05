//! The listener: bounded connections, bounded waits, an orderly end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::drain;

/// Connections that are served at once; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 1_024;
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one request may take, its body and its answer included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long requests may go on after the end was asked for.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Most bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenerError {
    /// Others could read what goes over it.
    #[error(
        "{0} is not a loopback address and there is no TLS: listen on 127.0.0.1 behind a TLS proxy"
    )]
    Plaintext(SocketAddr),
    /// The system refused.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A bound socket that serves a router.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds a loopback address; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// [`ListenerError`] for any other address, or if the system refuses.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, ListenerError> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(ListenerError::Plaintext(address));
        }
        let bind = |source| ListenerError::Bind { address, source };
        let socket = TcpListener::bind(address).await.map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        Ok(Self { socket, address })
    }

    /// The address that clients use.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until `end` resolves, then lets requests under way finish, up to 20 seconds.
    pub(crate) async fn serve(self, router: Router, end: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        tokio::pin!(end);
        loop {
            let accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.socket.accept().await)
            };
            let (place, accepted) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut end => break,
            };
            let (Ok(place), Ok((stream, peer))) = (place, accepted) else {
                // Out of file descriptors, most likely: wait for some to come back.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let connection = connection(stream, peer, router.clone(), &graceful);
            tokio::spawn(async move {
                connection.await;
                drop(place);
            });
        }
        drop(self.socket);
        tokio::select! {
            () = graceful.shutdown() => {}
            () = tokio::time::sleep(DRAIN_TIMEOUT) => {
                tracing::warn!("requests were still under way when the server ended");
            }
        }
    }
}

/// One connection, from its first request to its last.
fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    // Answers are small; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let (head, body) = request.into_parts();
            let (body, rest) = drain::split(body);
            let mut request = Request::from_parts(head, Body::new(body));
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = tokio::time::timeout(REQUEST_TIMEOUT, router.oneshot(request)).await;
            rest.drain().await;
            match answer {
                Ok(answer) => answer,
                Err(_) => Ok::<_, Infallible>(timed_out()),
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// 408, and the end of the connection.
fn timed_out() -> axum::response::Response {
    let mut answer = axum::response::Response::new(Body::empty());
    *answer.status_mut() = http::StatusCode::REQUEST_TIMEOUT;
    answer.headers_mut().insert(
        http::header::CONNECTION,
        http::HeaderValue::from_static("close"),
    );
    answer
}
