//! One authenticated request through the secure router against the same handler on a bare axum router.

#![allow(clippy::expect_used, reason = "a benchmark reports by panicking")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use cyprob_benches::{Site, Wire, bare, compare, heading, serve};
use tower::ServiceExt as _;

const ROUNDS: u32 = 101;
const IN_PROCESS: u32 = 200;
const OVER_TCP: u32 = 100;
const PEOPLE: u32 = 4_000;

/// Tokens in turn.
#[derive(Clone)]
struct Turns {
    tokens: Vec<String>,
    at: usize,
}

impl Turns {
    fn new(tokens: Vec<String>) -> Self {
        Self { tokens, at: 0 }
    }

    fn next(&mut self) -> &str {
        let token = self.tokens.get(self.at % self.tokens.len());
        self.at += 1;
        token.expect("a token")
    }
}

/// What is asked of each kind of token.
fn kinds(site: &Site, asked: u32) -> [(&'static str, Turns); 3] {
    [
        ("one token", Turns::new(vec![site.token()])),
        ("distinct tokens, remembered", Turns::new(remembered(site))),
        // as many as there are requests: none is seen twice
        (
            "distinct tokens, never seen",
            Turns::new(site.tokens(asked)),
        ),
    ]
}

fn remembered(site: &Site) -> Vec<String> {
    let tokens = site.tokens(PEOPLE);
    for token in &tokens {
        let held = site.access.authenticate(token, site.access.now());
        assert!(held.is_ok(), "a token of our own holds");
    }
    tokens
}

fn main() {
    heading();
    let site = Site::new();
    let (ours, theirs) = (site.router(), bare());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for (kind, mut turns) in kinds(&site, (ROUNDS + 1) * IN_PROCESS) {
        // What is sent is the same on both sides; the peer does not look at it.
        let mut same = turns.clone();
        compare(
            &format!("request in process, {kind}"),
            ROUNDS,
            IN_PROCESS,
            |count| runtime.block_on(ask(&ours, count, || turns.next().to_owned())),
            |count| runtime.block_on(ask(&theirs, count, || same.next().to_owned())),
        );
    }
    let [mut our_wire, mut their_wire] = serve(site.router(), bare()).map(Wire::connect);
    for (kind, mut turns) in kinds(&site, (ROUNDS + 1) * OVER_TCP) {
        let mut same = turns.clone();
        compare(
            &format!("request over TCP, {kind}"),
            ROUNDS,
            OVER_TCP,
            |count| (0..count).for_each(|_| our_wire.get(turns.next())),
            |count| (0..count).for_each(|_| their_wire.get(same.next())),
        );
    }
}

async fn ask(router: &Router, count: u32, mut token: impl FnMut() -> String) {
    for _ in 0..count {
        let request = Request::get("/orgs/acme/runs")
            .header(AUTHORIZATION, format!("Bearer {}", token()))
            .body(Body::empty())
            .expect("a request");
        let answer = router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let body = to_bytes(answer.into_body(), 100).await.expect("a body");
        assert_eq!(&body[..], b"[]");
    }
}
