//! What is on the wire in answer to `HEAD`: the head of `GET`, and nothing behind it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use cyprob_authz::http::{Auth, Method, PolicyLayer, Public, PublicRoutes, SecureRouter};
use cyprob_authz::testkit::Stand;
use cyprob_core::domain::RoleName;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::channel::Channel;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer as _, ServiceExt as _};

use crate::support::Site;

/// A body whose length nobody knows before its end.
fn streamed() -> Body {
    let (mut parts, body) = Channel::<Bytes, Infallible>::new(1);
    tokio::spawn(async move {
        let part = Frame::data(Bytes::from_static(b"part"));
        let _ = parts.send(part).await;
    });
    Body::new(body)
}

async fn stream(_: Auth<Public>) -> Body {
    streamed()
}

async fn nothing(_: Auth<Public>) -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The head and what comes behind it, of one request on a connection of its own.
async fn wire(to: SocketAddr, method: &str, path: &str, token: &str) -> (String, Vec<u8>) {
    let mut wire = TcpStream::connect(to).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    wire.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let read = wire.read_to_end(&mut all);
    let read = tokio::time::timeout(Duration::from_secs(10), read).await;
    read.unwrap().unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let body = all.split_off(end);
    (String::from_utf8(all).unwrap(), body)
}

/// The length that a head states.
fn length(head: &str) -> Option<usize> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let stated = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    stated.map(|(_, length)| length.trim().parse().unwrap())
}

/// The status line and the length, which must be those of `GET`, and no body.
async fn alike(to: SocketAddr, path: &str, token: &str) -> (String, Option<usize>) {
    let (head, body) = wire(to, "HEAD", path, token).await;
    let (got, whole) = wire(to, "GET", path, token).await;
    assert!(body.is_empty(), "{path}: {body:?}");
    assert_eq!(head.lines().next(), got.lines().next(), "{path}");
    assert_eq!(length(&head), length(&got), "{path}:\n{head}\n{got}");
    if let Some(length) = length(&got) {
        assert_eq!(length, whole.len(), "{path}");
    }
    (head.lines().next().unwrap().to_owned(), length(&head))
}

#[tokio::test]
async fn head_states_the_length_of_get() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    let to = serve(site.router.clone()).await;
    let (status, stated) = alike(to, "/orgs/acme/runs", &token).await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert_eq!(stated, Some(site.org.id.to_string().len()));
    for (path, token) in [
        ("/orgs/acme/runs", "dead"),
        ("/orgs/globex/runs", &*token),
        ("/system/orgs", &*token),
        ("/nothing", &*token),
        ("/me/password", &*token),
        ("/panic", &*token),
        ("/bare-error", &*token),
    ] {
        let (status, stated) = alike(to, path, token).await;
        assert!(!status.contains("200"), "{path}: {status}");
        assert!(stated > Some(50), "{path}: {stated:?}");
    }
}

#[tokio::test]
async fn head_states_no_length_that_nobody_knows() {
    let stand = Stand::new(7);
    let public = PublicRoutes::parse("GET /stream\nGET /nothing").unwrap();
    let (router, _) = SecureRouter::new(Arc::clone(&stand.access), ())
        .get("/stream", stream)
        .get("/nothing", nothing)
        .seal(&public)
        .unwrap();
    let to = serve(router).await;
    assert_eq!(alike(to, "/stream", "none").await.1, None);
    let (status, stated) = alike(to, "/nothing", "none").await;
    assert_eq!((status.as_str(), stated), ("HTTP/1.1 204 No Content", None));
}

/// A layer without a framework around it leaves as much to whoever writes the head.
#[tokio::test]
async fn head_states_the_length_of_get_behind_the_layer() {
    let stand = Stand::new(7);
    let public = PublicRoutes::parse("GET /open\nGET /stream").unwrap();
    let (layer, _) = PolicyLayer::routes(Arc::clone(&stand.access))
        .route::<Public>(Method::Get, "/open")
        .route::<Public>(Method::Get, "/stream")
        .seal(&public)
        .unwrap();
    let service = layer.layer(tower::service_fn(|request: Request<Body>| async move {
        let body = match request.uri().path() {
            "/open" => Body::from("seven b"),
            _ => streamed(),
        };
        Ok::<_, Infallible>(Response::new(body))
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (io, _) = listener.accept().await.unwrap();
            let service = service.clone();
            let handler = hyper::service::service_fn(move |request| {
                service.clone().oneshot(Request::map(request, Body::new))
            });
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(io), handler));
        }
    });
    assert_eq!(alike(to, "/open", "none").await.1, Some(7));
    assert_eq!(alike(to, "/stream", "none").await.1, None);
    assert!(alike(to, "/nothing", "none").await.1 > Some(50));
}
