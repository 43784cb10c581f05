//! A site with event streams and sockets on a real listener, and a client for it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use cyprob_authz::domain::{AccessClaims, OrgClaims};
use cyprob_authz::http::{
    Auth, Authenticated, Connection, Objects, Org, Problem, Public, PublicRoutes, SecureRouter,
    StepUp, Worker, perm,
};
use cyprob_authz::testkit::Stand;
use cyprob_core::domain::{Revocation, RevocationEntry, RoleName};
use cyprob_core::ports::RevocationFeed as _;
use http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use http::{HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::channel::Channel;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A body without an end.
fn ticks() -> Body {
    let (mut to, body) = Channel::<Bytes, Infallible>::new(1);
    tokio::spawn(async move {
        let tick = || Frame::data(Bytes::from_static(b"data: tick\n\n"));
        while to.send(tick()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    Body::new(body)
}

fn stream(kind: &'static str) -> Response {
    let mut response = Response::new(ticks());
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

async fn events(_: Auth<Org<perm::RunsRead>>) -> Response {
    stream("text/event-stream")
}

/// A stream on which nothing comes.
async fn quiet(_: Auth<Org<perm::RunsRead>>) -> Response {
    let (to, body) = Channel::<Bytes, Infallible>::new(1);
    let kind = [(CONTENT_TYPE, "text/event-stream")];
    let body = http_body_util::BodyExt::map_frame(body, move |frame| {
        let _held = &to;
        frame
    });
    (kind, Body::new(body)).into_response()
}

async fn fresh(_: Auth<StepUp<Org<perm::RunsRead>>>) -> Response {
    stream("Text/Event-Stream; charset=utf-8")
}

async fn my_events(_: Auth<Authenticated>) -> Response {
    stream("text/event-stream")
}

async fn open_events(_: Auth<Public>) -> Response {
    stream("text/event-stream")
}

async fn job_events(_: Auth<Worker>) -> Response {
    stream("text/event-stream")
}

/// Far more than lies between a handler and a client that reads nothing.
async fn flood(_: Auth<Org<perm::RunsRead>>) -> Response {
    let (mut to, body) = Channel::<Bytes, Infallible>::new(1);
    tokio::spawn(async move {
        let much = Bytes::from(vec![b'x'; 1 << 20]);
        while to.send(Frame::data(much.clone())).await.is_ok() {}
    });
    let kind = [(CONTENT_TYPE, "text/event-stream")];
    (kind, Body::new(body)).into_response()
}

/// An endless download, which its handler made a connection.
async fn export(auth: Auth<Org<perm::RunsRead>>) -> Result<Response, Problem> {
    drop(auth.connection()?);
    Ok(stream("application/x-ndjson"))
}

/// Opens a connection, and another after a moment in which its client may leave.
async fn again(auth: Auth<Org<perm::RunsRead>>) -> Result<StatusCode, Problem> {
    drop(auth.connection()?);
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(auth.connection()?);
    tokio::time::sleep(Duration::from_millis(400)).await;
    drop(auth);
    Ok(StatusCode::NO_CONTENT)
}

/// Opens a connection and never answers.
async fn never(auth: Auth<Org<perm::RunsRead>>) -> Result<Response, Problem> {
    drop(auth.connection()?);
    std::future::pending().await
}

/// A download of which nobody said that it is a connection.
async fn download(_: Auth<Org<perm::RunsRead>>) -> Response {
    stream("application/x-ndjson")
}

/// Echoes until the connection ends, and then says why.
async fn echo(upgrade: OnUpgrade, connection: Connection) {
    let mut socket = TokioIo::new(upgrade.await.unwrap());
    let mut bytes = [0; 64];
    loop {
        tokio::select! {
            why = connection.ended() => {
                assert_eq!(connection.has_ended(), Some(why));
                let _ = socket.write_all(why.as_str().as_bytes()).await;
                let _ = socket.shutdown().await;
                return;
            }
            read = socket.read(&mut bytes) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => socket.write_all(&bytes[..count]).await.unwrap(),
            },
        }
    }
}

fn switched() -> Response {
    let headers = [(CONNECTION, "upgrade"), (UPGRADE, "websocket")];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

async fn socket(
    auth: Auth<Org<perm::RunsRead>>,
    mut request: Request,
) -> Result<Response, Problem> {
    let upgrade = request.extensions_mut().remove::<OnUpgrade>().unwrap();
    let connection = auth.connection()?;
    tokio::spawn(echo(upgrade, connection));
    Ok(switched())
}

async fn objects(_: Auth<Objects<perm::RunsRead>>) -> Response {
    stream("text/event-stream")
}

async fn objects_socket(
    auth: Auth<Objects<perm::RunsRead>>,
    mut request: Request,
) -> Result<Response, Problem> {
    let upgrade = request.extensions_mut().remove::<OnUpgrade>().unwrap();
    tokio::spawn(echo(upgrade, auth.connection()?));
    Ok(switched())
}

async fn fresh_socket(
    auth: Auth<StepUp<Org<perm::RunsRead>>>,
    mut request: Request,
) -> Result<Response, Problem> {
    let upgrade = request.extensions_mut().remove::<OnUpgrade>().unwrap();
    tokio::spawn(echo(upgrade, auth.connection()?));
    Ok(switched())
}

/// Upgrades without a connection.
async fn careless(_: Auth<Org<perm::RunsRead>>, mut request: Request) -> Response {
    let upgrade = request.extensions_mut().remove::<OnUpgrade>().unwrap();
    tokio::spawn(async move {
        let mut socket = TokioIo::new(upgrade.await?);
        let _ = socket.write_all(b"for ever").await;
        Ok::<_, hyper::Error>(())
    });
    switched()
}

/// Upgrades and lets go of the connection.
async fn dropped(auth: Auth<Org<perm::RunsRead>>, request: Request) -> Result<Response, Problem> {
    drop(auth.connection()?);
    Ok(careless(auth, request).await)
}

fn routes(stand: &Stand) -> Router {
    let public = PublicRoutes::parse("GET /open/events").unwrap();
    let (router, _) = SecureRouter::new(Arc::clone(&stand.access), ())
        .get("/orgs/{org}/events", events)
        .get("/orgs/{org}/quiet", quiet)
        .get("/orgs/{org}/flood", flood)
        .get("/orgs/{org}/fresh", fresh)
        .get("/orgs/{org}/export", export)
        .get("/orgs/{org}/download", download)
        .get("/orgs/{org}/never", never)
        .post("/orgs/{org}/again", again)
        .get("/orgs/{org}/socket", socket)
        .get("/orgs/{org}/fresh-socket", fresh_socket)
        .get("/orgs/{org}/objects", objects)
        .get("/orgs/{org}/objects-socket", objects_socket)
        .get("/orgs/{org}/careless", careless)
        .get("/orgs/{org}/dropped", dropped)
        .get("/me/events", my_events)
        .get("/open/events", open_events)
        .post("/worker/runs/{run}/events", job_events)
        .seal(&public)
        .unwrap();
    router
}

pub(crate) struct Site {
    pub(crate) stand: Stand,
    pub(crate) router: Router,
    pub(crate) org: OrgClaims,
    address: SocketAddr,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::of(Stand::new(5)).await
    }

    pub(crate) async fn of(stand: Stand) -> Self {
        let router = routes(&stand);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = router
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, serving).await });
        let org = stand.org("acme", RoleName::OWNER);
        Self {
            stand,
            router,
            org,
            address,
        }
    }

    /// Claims of a new person with a new session, which live for 15 minutes.
    pub(crate) fn claims(&self) -> AccessClaims {
        AccessClaims {
            expires_at: self.stand.now().after(Duration::from_secs(900)),
            ..self.stand.claims(Some(self.org.clone()))
        }
    }

    pub(crate) fn revoke(&self, what: Revocation) {
        let expires_at = self.stand.now().after(Duration::from_secs(900));
        let entry = RevocationEntry { what, expires_at };
        self.stand.revocations.publish(&[entry]);
    }

    /// How many callers and people hold connections.
    pub(crate) fn holders(&self) -> usize {
        self.stand.access.connections().holders()
    }

    /// Waits until nobody holds a connection.
    pub(crate) async fn empty(&self) {
        for _ in 0..250 {
            if self.holders() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} hold connections", self.holders());
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Client {
        self.send("GET", path, Some(token)).await
    }

    /// Asks for an upgrade where the path is a socket's, and reads the answer's head.
    pub(crate) async fn send(&self, method: &str, path: &str, token: Option<&str>) -> Client {
        let sockets = [
            "socket",
            "fresh-socket",
            "objects-socket",
            "careless",
            "dropped",
        ];
        let last = path.rsplit('/').next().unwrap();
        let connection = match sockets.contains(&last) {
            true => "connection: upgrade\r\nupgrade: websocket",
            false => "connection: close",
        };
        let bearer = token.map(|token| format!("authorization: Bearer {token}\r\n"));
        let bearer = bearer.unwrap_or_default();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\n{bearer}{connection}\r\ncontent-length: 0\r\n\r\n"
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut client = Client {
            stream,
            head: String::new(),
        };
        let mut byte = [0];
        while !client.head.ends_with("\r\n\r\n") {
            assert_eq!(client.stream.read(&mut byte).await.unwrap(), 1);
            client.head.push(char::from(byte[0]));
        }
        client
    }
}

/// One connection whose answer has begun.
pub(crate) struct Client {
    stream: TcpStream,
    head: String,
}

impl Client {
    pub(crate) fn status(&self) -> u16 {
        self.head[9..12].parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Sends bytes through an upgraded connection and has them back.
    pub(crate) async fn echoes(&mut self) -> bool {
        if self.stream.write_all(b"ping").await.is_err() {
            return false;
        }
        let mut bytes = [0; 4];
        self.stream.read_exact(&mut bytes).await.is_ok() && bytes == *b"ping"
    }

    /// Whether more of the stream comes, all of what came before left out.
    pub(crate) async fn goes_on(&mut self) -> bool {
        let mut bytes = [0; 4096];
        loop {
            let waited = Duration::from_millis(1);
            match tokio::time::timeout(waited, self.stream.read(&mut bytes)).await {
                Ok(Ok(0) | Err(_)) => return false,
                Ok(Ok(_)) => continue,
                Err(_) => break,
            }
        }
        let waited = Duration::from_millis(500);
        let more = tokio::time::timeout(waited, self.stream.read(&mut bytes)).await;
        matches!(more, Ok(Ok(count)) if count > 0)
    }

    /// All that comes until the end, which must be near.
    pub(crate) async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = self.stream.read_to_end(&mut bytes);
        let waited = Duration::from_millis(2_500);
        tokio::time::timeout(waited, read)
            .await
            .unwrap_or_else(|_| panic!("it does not end: {}", self.head))
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Waits for the end of an event stream, which must be a clean one.
    pub(crate) async fn ends_cleanly(&mut self) {
        let rest = self.rest().await;
        assert!(rest.ends_with("\r\n0\r\n\r\n"), "{rest}");
    }
}
