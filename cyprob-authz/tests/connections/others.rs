//! What is a connection, and what is none.

use std::time::Duration;

use cyprob_authz::testkit::{Narrow, narrow};
use cyprob_core::domain::Revocation;

use crate::support::Site;

#[tokio::test]
async fn any_answer_is_a_connection_whose_handler_says_so() {
    let site = Site::new().await;
    let claims = site.claims();
    let token = site.stand.mint(&claims);
    let mut export = site.get("/orgs/acme/export", &token).await;
    // nobody said so of this one: it goes on as long as its handler likes
    let mut download = site.get("/orgs/acme/download", &token).await;
    assert_eq!((export.status(), download.status()), (200, 200));
    assert_eq!(site.holders(), 2);
    site.revoke(Revocation::Session(claims.session));
    export.ends_cleanly().await;
    assert!(download.goes_on().await);
    site.empty().await;
}

#[tokio::test]
async fn a_stream_of_a_public_route_ends_with_the_token_that_came_with_it() {
    let site = Site::new().await;
    let claims = site.claims();
    let token = site.stand.mint(&claims);
    let mut known = site.get("/open/events", &token).await;
    assert_eq!(site.holders(), 2);
    // strangers' streams are not counted, and nothing ends them
    let mut strangers = Vec::new();
    for _ in 0..20 {
        let stranger = site.send("GET", "/open/events", None).await;
        assert_eq!(stranger.status(), 200);
        strangers.push(stranger);
    }
    assert_eq!(site.holders(), 2);
    site.revoke(Revocation::Session(claims.session));
    known.ends_cleanly().await;
    assert!(strangers[0].goes_on().await);
}

#[tokio::test]
async fn a_person_s_own_stream_ends_with_the_session() {
    let site = Site::new().await;
    let claims = site.claims();
    let mut stream = site.get("/me/events", &site.stand.mint(&claims)).await;
    assert_eq!(stream.status(), 200);
    assert!(stream.goes_on().await);
    site.revoke(Revocation::Session(claims.session));
    stream.ends_cleanly().await;
}

#[tokio::test]
async fn a_connection_stands_by_the_use_that_it_was_opened_with() {
    let site = Site::new().await;
    let token = site.stand.mint(&site.claims());
    let once = Narrow::Uses {
        words: vec!["one".to_owned()],
        set: true,
    };
    let once = narrow(&token, &[once], &*site.stand.entropy).unwrap();
    let mut stream = site.get("/orgs/acme/events", &once).await;
    assert_eq!(stream.status(), 200);
    // It is asked again meanwhile, and no second use is taken.
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    assert!(stream.goes_on().await);
    let second = site.get("/orgs/acme/events", &once).await;
    assert_eq!(second.status(), 401);
}
