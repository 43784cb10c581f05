use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;

/// A server whose answer echoes the request's target and body, chunked under `/chunked`.
async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = Vec::new();
                let read = http::read(&mut client, &mut buffer, http::Awaited::Request).await;
                let request = read.unwrap().unwrap();
                let http::Start::Request { target, method } = &request.start else {
                    panic!("no request");
                };
                let body = String::from_utf8(request.body).unwrap();
                let text = format!("{method} {target} {body}");
                let answer = match target.as_str() {
                    "/none" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
                    "/end" => format!("HTTP/1.0 200 OK\r\n\r\n{text}"),
                    "/chunked" => {
                        let (one, two) = text.split_at(5);
                        let (first, second) = (one.len(), two.len());
                        format!(
                            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                             {first:x}\r\n{one}\r\n{second:x};x=y\r\n{two}\r\n0\r\n\r\n"
                        )
                    }
                    _ => format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX-Kept: yes\r\n\r\n{text}",
                        text.len()
                    ),
                };
                client.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    addr
}

async fn started() -> (FaultProxy, TcpStream) {
    let proxy = FaultProxy::start(upstream().await).await.unwrap();
    let client = TcpStream::connect(proxy.addr()).await.unwrap();
    (proxy, client)
}

/// Sends a request over a kept connection: the answer's status and body.
async fn ask(client: &mut TcpStream, target: &str, body: &str) -> io::Result<(u16, String)> {
    let length = body.len();
    let request = format!("POST {target} HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{body}");
    client.write_all(request.as_bytes()).await?;
    let answer = http::read(client, &mut Vec::new(), http::Awaited::Answer).await?;
    let answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
    let http::Start::Answer { status, .. } = answer.start else {
        panic!("no answer");
    };
    Ok((status, String::from_utf8(answer.body).unwrap()))
}

async fn fresh(proxy: &FaultProxy, target: &str) -> io::Result<(u16, String)> {
    let mut client = TcpStream::connect(proxy.addr()).await?;
    ask(&mut client, target, "").await
}

#[tokio::test]
async fn every_framing_is_passed_on_over_one_connection() {
    let (proxy, mut client) = started().await;
    for target in ["/a", "/chunked", "/end", "/a?b=c"] {
        let answer = ask(&mut client, target, "body").await.unwrap();
        assert_eq!(answer, (200, format!("POST {target} body")));
    }
    assert_eq!(
        ask(&mut client, "/none", "").await.unwrap(),
        (204, String::new())
    );
    // A chunked request, in two writes, with the next one behind it.
    let request = b"PUT /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc";
    client.write_all(request).await.unwrap();
    client
        .write_all(b"\r\n0\r\n\r\nLIST /c HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let mut buffer = Vec::new();
    for expected in ["PUT /b abc", "LIST /c "] {
        let answer = http::read(&mut client, &mut buffer, http::Awaited::Answer).await;
        assert_eq!(answer.unwrap().unwrap().body, expected.as_bytes());
    }
    assert_eq!(proxy.requests(), 7);
    assert_eq!(proxy.requests_to("/a"), 2);
}

#[tokio::test]
async fn a_head_request_has_an_answer_without_a_body() {
    let (_proxy, mut client) = started().await;
    let head = b"HEAD /a HTTP/1.1\r\n\r\n";
    client.write_all(head).await.unwrap();
    let mut buffer = Vec::new();
    let read = http::read(&mut client, &mut buffer, http::Awaited::Bodiless).await;
    assert!(
        read.unwrap()
            .unwrap()
            .headers
            .iter()
            .any(|(n, _)| n == "x-kept")
    );
    assert_eq!(ask(&mut client, "/a", "").await.unwrap().0, 200);
}

#[tokio::test]
async fn a_closed_connection_is_no_answer_until_it_is_healed() {
    for fault in [Fault::Drop, Fault::Refuse] {
        let (proxy, mut client) = started().await;
        ask(&mut client, "/a", "").await.unwrap();
        proxy.inject(fault);
        assert!(ask(&mut client, "/a", "").await.is_err());
        assert!(fresh(&proxy, "/a").await.is_err());
        proxy.heal();
        assert_eq!(fresh(&proxy, "/a").await.unwrap().0, 200);
    }
}

#[tokio::test]
async fn a_reset_is_told_as_one() {
    let (proxy, mut client) = started().await;
    proxy.inject(Fault::Reset);
    let error = ask(&mut client, "/a", "").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_hang_never_answers_and_a_delay_does_late() {
    let (proxy, mut client) = started().await;
    proxy.inject(Fault::Hang);
    let asked = timeout(Duration::from_millis(200), ask(&mut client, "/a", ""));
    assert!(asked.await.is_err());
    assert_eq!(proxy.requests(), 1);
    proxy.inject(Fault::Delay(Duration::from_millis(200)));
    let late = fresh(&proxy, "/a");
    tokio::pin!(late);
    assert!(
        timeout(Duration::from_millis(100), &mut late)
            .await
            .is_err()
    );
    assert_eq!(late.await.unwrap().0, 200);
}

#[tokio::test]
async fn a_truncated_answer_says_its_old_length() {
    let (proxy, mut client) = started().await;
    proxy.inject(Fault::Truncate(6));
    client
        .write_all(b"POST /abc HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains("content-length: 10\r\n") && text.ends_with("\r\n\r\nPOST /"),
        "{text}"
    );
}

#[tokio::test]
async fn the_proxy_answers_itself() {
    let (proxy, mut client) = started().await;
    let body = "{\"errors\":[]}".to_owned();
    proxy.inject(Fault::Status {
        code: 503,
        body: body.clone(),
    });
    assert_eq!(ask(&mut client, "/a", "").await.unwrap(), (503, body));
    proxy.inject(Fault::Garbage);
    let (status, text) = ask(&mut client, "/a", "").await.unwrap();
    assert!(status == 200 && text.starts_with('<'));
    proxy.inject(Fault::Huge(100_000));
    let (status, text) = ask(&mut client, "/a", "").await.unwrap();
    assert_eq!((status, text.len()), (200, 100_000));
    assert_eq!(proxy.huge_bytes(), 100_000);
    proxy.heal();
    assert_eq!(ask(&mut client, "/a", "").await.unwrap().1, "POST /a ");
}

#[tokio::test]
async fn a_fault_may_be_for_some_paths_alone() {
    let (proxy, mut client) = started().await;
    let status = |code| Fault::Status {
        code,
        body: String::new(),
    };
    proxy.inject_on("/v1/", status(403));
    proxy.inject_on("/v1/auth/", status(429));
    for (target, code) in [("/v1/a", 403), ("/v1/auth/b", 429), ("/v2", 200)] {
        assert_eq!(
            ask(&mut client, target, "").await.unwrap().0,
            code,
            "{target}"
        );
    }
    proxy.inject(status(500));
    assert_eq!(ask(&mut client, "/v2", "").await.unwrap().0, 500);
    assert_eq!(ask(&mut client, "/v1/a", "").await.unwrap().0, 403);
    assert_eq!(proxy.requests_to("/v1/"), 3);
}

#[tokio::test]
async fn a_dropped_proxy_takes_its_connections_along() {
    let (proxy, mut client) = started().await;
    ask(&mut client, "/a", "").await.unwrap();
    let addr = proxy.addr();
    drop(proxy);
    assert_eq!(client.read(&mut [0]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(addr).await.is_err());
}
