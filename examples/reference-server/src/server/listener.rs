//! The listener: bounded connections, bounded waits, an orderly end.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::IntoResponse as _;
use cyprob::authz::http::{ClientAddress, ProblemCode};
use http::{HeaderMap, HeaderName, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::drain;

/// Connections that are served at once; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 1_024;
/// How long requests may go on after the end was asked for.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Most bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// How long a client may let the server wait.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// To send a request's head.
    head: Duration,
    /// For one request, its body and its handling included.
    request: Duration,
    /// To take anything of what is sent to it.
    write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            request: Duration::from_secs(60),
            write: Duration::from_secs(20),
        }
    }
}

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
    patience: Patience,
    client_header: Option<HeaderName>,
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
        Ok(Self {
            socket,
            address,
            patience: Patience::default(),
            client_header: None,
        })
    }

    /// Believes the last address in a header, which the proxy in front has appended.
    pub(crate) fn behind_proxy(mut self, header: Option<HeaderName>) -> Self {
        self.client_header = header;
        self
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
            let client_header = self.client_header.clone();
            let router = router.clone();
            let connection = connection(
                stream,
                peer,
                client_header,
                router,
                self.patience,
                &graceful,
            );
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
    client_header: Option<HeaderName>,
    router: Router,
    patience: Patience,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    // Answers are small; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience.write));
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        let client = client_header
            .as_ref()
            .and_then(|header| last_address(request.headers(), header));
        async move {
            let (head, body) = request.into_parts();
            let (body, rest) = drain::split(body);
            let mut request = Request::from_parts(head, Body::new(body));
            request.extensions_mut().insert(ConnectInfo(peer));
            if let Some(client) = client {
                request.extensions_mut().insert(ClientAddress(client));
            }
            let answer = tokio::time::timeout(patience.request, router.oneshot(request)).await;
            rest.drain().await;
            match answer {
                Ok(answer) => answer,
                Err(_) => Ok::<_, Infallible>(timed_out()),
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let connection = graceful.watch(connection);
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// The last address of a header: what stands before it, anybody can have written.
fn last_address(headers: &HeaderMap, header: &HeaderName) -> Option<IpAddr> {
    let last = headers.get_all(header).iter().next_back()?;
    let last = last.to_str().ok()?.rsplit(',').next()?;
    last.trim().parse().ok()
}

/// 408, and the end of the connection.
fn timed_out() -> axum::response::Response {
    let mut answer = ProblemCode::RequestTimeout.into_response();
    answer.headers_mut().insert(
        http::header::CONNECTION,
        http::HeaderValue::from_static("close"),
    );
    answer
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A listener that waits for nobody, and a connection to it.
    #[expect(clippy::disallowed_methods, reason = "the listener alone is tested")]
    async fn hasty() -> TcpStream {
        let mut listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        listener.patience = Patience {
            head: Duration::from_millis(200),
            request: Duration::from_millis(200),
            write: Duration::from_millis(200),
        };
        let address = listener.address;
        let router = Router::new()
            .route("/large", get(|| async { "x".repeat(64 << 20) }))
            .route("/all", post(|body: String| async { body }));
        tokio::spawn(listener.serve(router, std::future::pending()));
        TcpStream::connect(address).await.unwrap()
    }

    async fn answer(mut stream: TcpStream) -> Vec<u8> {
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let read = tokio::time::timeout(Duration::from_secs(20), read).await;
        // A reset says that the server is done, as an end does.
        let _ = read.expect("the connection ends");
        answer
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_a_408_problem() {
        let mut stream = hasty().await;
        let head = b"POST /all HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf";
        stream.write_all(head).await.unwrap();
        let answer = answer(stream).await;
        let text = String::from_utf8(answer).unwrap();
        assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
        assert!(text.contains("application/problem+json"), "{text}");
        assert!(text.contains("\"code\":\"request_timeout\""), "{text}");
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_ends_the_connection() {
        let mut stream = hasty().await;
        stream.write_all(b"GET /large HT").await.unwrap();
        answer(stream).await;
        // One that says nothing at all, too.
        answer(hasty().await).await;
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_loses_its_connection() {
        let mut stream = hasty().await;
        let ask = b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(ask).await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let answer = answer(stream).await;
        assert!(answer.starts_with(b"HTTP/1.1 200 "));
        assert!(answer.len() < 64 << 20, "the whole answer came");
    }
}
