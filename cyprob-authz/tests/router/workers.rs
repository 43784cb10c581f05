//! Workers' tokens and people's: each is nothing at the other's routes.

use std::time::Duration;

use cyprob_authz::domain::AccessClaims;
use cyprob_core::domain::RoleName;

use crate::support::{Site, allowed, error};

#[tokio::test]
async fn a_worker_s_token_opens_its_own_run_and_nothing_else() {
    let site = Site::new();
    let job = site.stand.job();
    let token = site.stand.mint_job(&job);
    let path = |run: &str| format!("/worker/runs/{run}/result");
    let own = site
        .call("POST", &path(&job.run.to_string()), Some(&token))
        .await;
    assert_eq!((own.outcome(), own.body.as_str()), (allowed(), "1"));
    for run in [
        site.stand.job().run.to_string(),
        "run_7".to_owned(),
        "x".to_owned(),
    ] {
        let answer = site.call("POST", &path(&run), Some(&token)).await;
        assert_eq!(answer.outcome(), error(404, "not_found"));
    }
    for (method, route) in [
        ("GET", "/me".to_owned()),
        ("GET", "/system/orgs".to_owned()),
        ("GET", format!("/orgs/{}/runs", job.org)),
        ("POST", format!("/orgs/{}/runs", job.org)),
        ("POST", "/me/password".to_owned()),
    ] {
        let answer = site.call(method, &route, Some(&token)).await;
        assert_eq!(answer.outcome(), error(401, "invalid_token"), "{route}");
    }
    assert_eq!(
        site.call("GET", "/open", Some(&token)).await.body,
        "stranger"
    );
    site.stand.clock.advance(Duration::from_secs(60));
    let late = site
        .call("POST", &path(&job.run.to_string()), Some(&token))
        .await;
    assert_eq!(late.outcome(), error(401, "invalid_token"));
}

#[tokio::test]
async fn nobody_else_s_token_opens_a_worker_s_route() {
    let site = Site::new();
    let path = format!("/worker/runs/{}/result", site.stand.job().run);
    let mighty = site.stand.mint(&AccessClaims {
        administrator: true,
        ..site.claims(RoleName::OWNER)
    });
    for token in [None, Some(&*mighty), Some("dead")] {
        let answer = site.call("POST", &path, token).await;
        assert_eq!(answer.outcome(), error(401, "invalid_token"));
    }
    assert_eq!(site.calls(), 0);
}
