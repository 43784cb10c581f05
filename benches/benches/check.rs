//! Processor time of one authenticated request, over each database and way of checking, against the same handler on a bare axum router.

#![allow(clippy::expect_used, reason = "a benchmark reports by panicking")]

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use cyprob::CheckMode;
use cyprob_benches::{Host, bare, compare_processor_time, guarded, heading};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const ROUNDS: u32 = 21;
const REQUESTS: u32 = 1_000;

async fn ask(router: &Router, token: &str, count: u32) {
    for _ in 0..count {
        let request = Request::get("/orgs/acme/runs")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .expect("a request");
        let answer = router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), 200);
    }
}

fn measure(runtime: &Runtime, name: &str, host: &Host) {
    let pair = runtime.block_on(Host::sign_in(&host.router, None));
    let token = pair.get("access_token").and_then(|token| token.as_str());
    let token = token.expect("a token");
    let (ours, theirs) = (guarded(host.plane.access()), bare());
    compare_processor_time(
        name,
        ROUNDS,
        REQUESTS,
        |count| runtime.block_on(ask(&ours, token, count)),
        |count| runtime.block_on(ask(&theirs, token, count)),
    );
}

fn main() {
    heading();
    let runtime = Runtime::new().expect("a runtime");
    for (mode, name) in [(CheckMode::Feed, "feed"), (CheckMode::Strict, "strict")] {
        let host = runtime.block_on(Host::sqlite(mode));
        measure(
            &runtime,
            &format!("processor time of a request, SQLite, {name}"),
            &host,
        );
        runtime.block_on(host.end());
        let Some(host) = runtime.block_on(Host::postgres(mode)) else {
            continue;
        };
        measure(
            &runtime,
            &format!("processor time of a request, PostgreSQL, {name}"),
            &host,
        );
        runtime.block_on(host.end());
    }
}
