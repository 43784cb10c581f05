//! Thousands of connections at once cost little, and leave nothing behind.

use std::time::Duration;

use axum::body::Body;
use cyprob_core::domain::Revocation;
use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt as _;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::support::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_places_are_taken_and_given_back() {
    let site = Site::new().await;
    let connections = site.stand.access.connections().clone();
    let claims: Vec<_> = (0..2_500).map(|_| site.claims()).collect();
    let mut tasks = JoinSet::new();
    for part in claims.chunks(625).map(<[_]>::to_vec) {
        let connections = connections.clone();
        tasks.spawn_blocking(move || {
            let all = part.iter().flat_map(|claims| {
                let mut places: Vec<_> = (0..17).map(|_| connections.open(claims)).collect();
                assert!(places.pop().unwrap().is_none());
                places
            });
            all.map(Option::unwrap).collect::<Vec<_>>()
        });
    }
    let held: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!((held.len(), connections.holders()), (40_000, 5_000));
    drop(held);
    assert_eq!(connections.holders(), 0);
}

#[tokio::test]
async fn ten_thousand_are_judged_anew_in_a_small_part_of_a_second() {
    let site = Site::new().await;
    let at = site.stand.now();
    let people = (0..1_000).map(|_| site.stand.mint(&site.claims()));
    let people: Vec<_> = people
        .map(|token| site.stand.access.authenticate(&token, at).unwrap())
        .collect();
    let began = Instant::now();
    for principal in people.iter().cycle().take(10_000) {
        site.stand.access.recheck(principal, at).unwrap();
    }
    let took = began.elapsed();
    assert!(took < Duration::from_millis(500), "{took:?}");
}

/// Ten thousand streams of a thousand sessions, all ended by a revocation of each session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_streams_end_within_seconds() {
    let site = Site::new().await;
    let people: Vec<_> = (0..1_000).map(|_| site.claims()).collect();
    let mut streams = JoinSet::new();
    for claims in &people {
        let token = site.stand.mint(claims);
        for _ in 0..10 {
            let request = Request::get("/orgs/acme/quiet")
                .header(AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::empty())
                .unwrap();
            let answer = site.router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            streams.spawn(answer.into_body().collect());
        }
    }
    assert_eq!(site.holders(), 2_000);
    let began = Instant::now();
    for claims in &people {
        site.revoke(Revocation::Session(claims.session));
    }
    while let Some(ended) = streams.join_next().await {
        ended.unwrap().unwrap();
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    site.empty().await;
}
