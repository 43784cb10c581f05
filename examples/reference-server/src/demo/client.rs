//! A small client: one connection for each request, JSON in and out.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::steps::Unexpected;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The answer, if it has the status.
    pub(super) fn expect(self, status: u16) -> Result<Self, Unexpected> {
        if self.status.as_u16() == status {
            return Ok(self);
        }
        let text = String::from_utf8_lossy(&self.body).into_owned();
        Err(Unexpected(format!(
            "expected status {status}, got {}: {text}",
            self.status.as_u16()
        )))
    }
}

/// A client of one server.
#[derive(Clone, Debug)]
pub(super) struct Client {
    authority: String,
}

/// What a request carries.
#[derive(Debug, Default)]
pub(super) struct Carry<'a> {
    pub(super) token: Option<&'a str>,
    pub(super) body: Option<(&'a str, Vec<u8>)>,
}

impl Client {
    pub(super) fn new(url: &str) -> Self {
        Self {
            authority: url.trim_start_matches("http://").to_owned(),
        }
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> Result<Answer, Unexpected> {
        self.send(
            Method::GET,
            path,
            Carry {
                token: Some(token),
                body: None,
            },
        )
        .await
    }

    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<Answer, Unexpected> {
        let body = Some(("application/json", body.to_string().into_bytes()));
        self.send(method, path, Carry { token, body }).await
    }

    pub(super) async fn post(
        &self,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Result<Answer, Unexpected> {
        self.call(Method::POST, path, Some(token), body).await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        carry: Carry<'_>,
    ) -> Result<Answer, Unexpected> {
        let what = format!("{method} {path}");
        let failed = |error: &dyn std::fmt::Display| Unexpected(format!("{what}: {error}"));
        let stream = TcpStream::connect(&self.authority)
            .await
            .map_err(|e| failed(&e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| failed(&e))?;
        let driven = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.authority);
        request = request.header("user-agent", "cyprob-demo");
        if let Some(token) = carry.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let bytes = match carry.body {
            Some((kind, bytes)) => {
                request = request.header("content-type", kind);
                bytes
            }
            None => Vec::new(),
        };
        let request = request
            .body(Full::new(Bytes::from(bytes)))
            .map_err(|e| failed(&e))?;
        let answer = sender.send_request(request).await.map_err(|e| failed(&e))?;
        let status = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(|e| failed(&e))?
            .to_bytes();
        driven.abort();
        Ok(Answer { status, body })
    }
}

/// What stands at a place of a JSON value; null if nothing does.
pub(super) fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// A text in a JSON value.
pub(super) fn text(value: &Value, pointer: &str) -> Result<String, Unexpected> {
    let found = value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned);
    found.ok_or_else(|| Unexpected(format!("the answer has no {pointer}: {value}")))
}
