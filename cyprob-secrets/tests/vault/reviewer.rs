//! As much of Kubernetes as a Vault asks: the reviews of tokens.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cyprob_core::adapters::system::SystemClock;
use cyprob_core::ports::Clock as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

const PATH: &str = "POST /apis/authentication.k8s.io/v1/tokenreviews ";
pub(crate) const AUDIENCE: &str = "https://kubernetes.default.svc";

#[derive(Default)]
struct State {
    /// The tokens that were issued, and to whom.
    issued: HashMap<String, Value>,
    /// Those that were asked for, in order.
    reviewed: Vec<String>,
}

/// An API of a Kubernetes that issues tokens and reviews them; it ends with its test.
pub(crate) struct Reviewer {
    pub(crate) addr: SocketAddr,
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

impl Reviewer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            addr,
            state,
            task: serving.abort_handle(),
        }
    }

    /// A token of a service account, as the platform projects it; `serial` makes it another one.
    pub(crate) fn issue(&self, namespace: &str, account: &str, serial: u32) -> String {
        let jwt = unissued(namespace, account, serial, 3_600);
        let user = json!({
            "username": format!("system:serviceaccount:{namespace}:{account}"),
            "uid": uid(namespace, account),
            "groups": ["system:serviceaccounts", "system:authenticated"],
        });
        self.state.lock().unwrap().issued.insert(jwt.clone(), user);
        jwt
    }

    /// What becomes of a token whose time is over or whose pod is gone.
    pub(crate) fn forget(&self, jwt: &str) {
        self.state.lock().unwrap().issued.remove(jwt).unwrap();
    }

    pub(crate) fn reviewed(&self) -> Vec<String> {
        self.state.lock().unwrap().reviewed.clone()
    }
}

impl Drop for Reviewer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn uid(namespace: &str, account: &str) -> String {
    format!("uid-of-{namespace}-{account}")
}

/// A token that says the same as an issued one, and is none; it lives for so many seconds.
pub(crate) fn unissued(namespace: &str, account: &str, serial: u32, lives: i64) -> String {
    let now = SystemClock.now().as_micros() / 1_000_000;
    let part = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let claims = json!({
        "aud": [AUDIENCE],
        "iss": AUDIENCE,
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + lives,
        "sub": format!("system:serviceaccount:{namespace}:{account}"),
        "kubernetes.io": {
            "namespace": namespace,
            "serviceaccount": { "name": account, "uid": uid(namespace, account) },
        },
    });
    let header = part(json!({"alg": "RS256", "kid": "of-the-test"}));
    // Nobody but the reviewer is asked whether it is right.
    let signature = URL_SAFE_NO_PAD.encode(format!("signature {serial} of {namespace}/{account}"));
    format!("{header}.{}.{signature}", part(claims))
}

/// One request for each connection.
async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut chunk = [0; 4_096];
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8(bytes.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let lower = head.to_ascii_lowercase();
        let length = lower
            .lines()
            .find_map(|l| l.strip_prefix("content-length: "));
        if body.len() == length.unwrap().parse::<usize>().unwrap() {
            break (head.to_owned(), body.to_owned());
        }
    };
    assert!(head.starts_with(PATH), "{head}");
    let asked: Value = serde_json::from_str(&body).unwrap();
    let token = asked["spec"]["token"].as_str().unwrap().to_owned();
    let user = {
        let mut state = state.lock().unwrap();
        state.reviewed.push(token.clone());
        state.issued.get(&token).cloned()
    };
    let status = match user {
        Some(user) => json!({"authenticated": true, "user": user, "audiences": [AUDIENCE]}),
        None => json!({"authenticated": false, "error": "invalid bearer token"}),
    };
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
        "metadata": {}, "spec": asked["spec"], "status": status,
    })
    .to_string();
    let answer = format!(
        "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{review}",
        review.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}
