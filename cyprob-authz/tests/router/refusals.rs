//! Who is refused, what they are told, and what the trail is told.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use cyprob_authz::domain::AccessClaims;
use cyprob_authz::http::ClientAddress;
use cyprob_authz::testkit::{Narrow, narrow};
use cyprob_core::domain::RoleName;
use cyprob_core::domain::audit::{Action, Outcome};

use crate::support::{Site, allowed, error, request};

#[tokio::test]
async fn another_organization_does_not_exist() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    let other = site.stand.org("globex", RoleName::OWNER);
    for own in [site.org.id.to_string(), "acme".to_owned()] {
        assert_eq!(
            site.get(&format!("/orgs/{own}/runs"), &token).await,
            allowed()
        );
    }
    for foreign in [
        other.id.to_string(),
        "globex".to_owned(),
        "nobody".to_owned(),
        "ACME".to_owned(),
        "acme%20".to_owned(),
        "acme%00".to_owned(),
        "%61cme%2Fruns".to_owned(),
        site.org.id.to_string().to_uppercase(),
        site.org.id.to_string().replace("org_", ""),
        "*".to_owned(),
    ] {
        let answer = site.get(&format!("/orgs/{foreign}/runs"), &token).await;
        assert_eq!(answer, error(404, "not_found"), "{foreign}");
    }
    assert_eq!(site.calls(), 2);
    let events = site.stand.denials.events();
    assert_eq!(events.len(), 10);
    for event in &events {
        // in the log of the caller's own organization, never of the one that was named
        assert_eq!(event.org, Some(site.org.id));
        assert_eq!(event.action, Action::AccessDenied);
    }
}

#[tokio::test]
async fn an_escaped_name_is_the_name() {
    let site = Site::new();
    let token = site.token(RoleName::OWNER);
    assert_eq!(site.get("/orgs/%61cme/runs", &token).await, allowed());
}

#[tokio::test]
async fn a_missing_permission_is_forbidden_and_recorded() {
    let site = Site::new();
    let token = site.token(RoleName::VIEWER);
    let answer = site.call("POST", "/orgs/acme/runs", Some(&token)).await;
    assert_eq!(answer.outcome(), error(403, "forbidden"));
    let events = site.stand.denials.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].outcome, Outcome::Denied);
    let shown = format!("{:?}", events[0]);
    for part in ["role_permission", "POST", "/orgs/{org}/runs", "runs:create"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // the client is told none of it
    assert!(!answer.body.contains("runs:create") && !answer.body.contains("role"));
    assert!(!shown.contains(&token[..40]));
}

#[tokio::test]
async fn a_refusal_that_cannot_be_recorded_is_unavailable() {
    let site = Site::with_broken_trail();
    let token = site.token(RoleName::VIEWER);
    for (method, path) in [
        ("POST", "/orgs/acme/runs"),
        ("GET", "/orgs/globex/runs"),
        ("GET", "/system/orgs"),
    ] {
        let answer = site.call(method, path, Some(&token)).await;
        assert_eq!(answer.outcome(), error(503, "unavailable"));
        assert!(answer.headers.contains_key("retry-after"));
    }
    // who is nobody is refused without the trail
    assert_eq!(site.get("/me", "dead").await, error(401, "invalid_token"));
    assert_eq!(site.get("/orgs/acme/runs", &token).await, allowed());
}

#[tokio::test]
async fn a_stale_sign_in_must_be_made_fresh() {
    let site = Site::new();
    let aged = |seconds| AccessClaims {
        auth_time: site.stand.now().before(Duration::from_secs(seconds)),
        administrator: true,
        ..site.claims(RoleName::OWNER)
    };
    for (seconds, fresh) in [(0, true), (300, true), (301, false), (100_000, false)] {
        let token = site.stand.mint(&aged(seconds));
        let expected = if fresh {
            allowed()
        } else {
            error(401, "step_up_required")
        };
        for (method, path) in [
            ("POST", "/me/password"),
            ("PUT", "/orgs/acme/secrets/x"),
            ("GET", "/system/orgs"),
        ] {
            let answer = site.call(method, path, Some(&token)).await;
            assert_eq!(
                answer.outcome(),
                expected,
                "{method} {path} after {seconds}"
            );
        }
        assert_eq!(site.get("/me", &token).await, allowed());
    }
    // nor does one count that has yet to come, but for clocks that differ a little
    for (seconds, fresh) in [(1, true), (300, true), (301, false), (100_000, false)] {
        let token = site.stand.mint(&AccessClaims {
            auth_time: site.stand.now().after(Duration::from_secs(seconds)),
            ..site.claims(RoleName::OWNER)
        });
        let answer = site.call("POST", "/me/password", Some(&token)).await;
        let expected = if fresh {
            allowed()
        } else {
            error(401, "step_up_required")
        };
        assert_eq!(answer.outcome(), expected, "{seconds} ahead");
    }
    // a fresh sign-in grows old
    let token = site.stand.mint(&aged(200));
    site.stand.clock.advance(Duration::from_secs(101));
    let answer = site.call("POST", "/me/password", Some(&token)).await;
    assert_eq!(answer.outcome(), error(401, "step_up_required"));
}

#[tokio::test]
async fn the_permission_comes_before_the_fresh_sign_in() {
    let site = Site::new();
    let token = site.stand.mint(&AccessClaims {
        auth_time: site.stand.now().before(Duration::from_secs(1_000)),
        ..site.claims(RoleName::VIEWER)
    });
    let answer = site.call("PUT", "/orgs/acme/secrets/x", Some(&token)).await;
    assert_eq!(answer.outcome(), error(403, "forbidden"));
}

#[tokio::test]
async fn a_narrowed_token_does_what_is_left_of_it() {
    let site = Site::new();
    let narrowed =
        |check| narrow(&site.token(RoleName::OWNER), &[check], &*site.stand.entropy).unwrap();
    let reads = narrowed(Narrow::Permissions {
        names: vec!["runs:read".into()],
        set: false,
    });
    assert_eq!(site.get("/orgs/acme/runs", &reads).await, allowed());
    let answer = site.call("POST", "/orgs/acme/runs", Some(&reads)).await;
    assert_eq!(answer.outcome(), error(403, "forbidden"));
    // a holder's narrowing has no word for these routes, so they are closed to it
    assert_eq!(site.get("/me", &reads).await, error(403, "forbidden"));
    assert_eq!(
        site.call("GET", "/open", Some(&reads)).await.body,
        "stranger"
    );

    let one = narrowed(Narrow::Resources {
        ids: vec!["run_7".into()],
        set: false,
    });
    assert_eq!(site.get("/orgs/acme/runs/run_7", &one).await, allowed());
    assert_eq!(
        site.get("/orgs/acme/runs/run_8", &one).await,
        error(403, "forbidden")
    );
    assert_eq!(
        site.get("/orgs/acme/runs", &one).await,
        error(403, "forbidden")
    );

    let second = u64::try_from(site.stand.now().as_seconds()).unwrap() + 10;
    let short = narrowed(Narrow::Before {
        second,
        inclusive: false,
    });
    assert_eq!(site.get("/orgs/acme/runs", &short).await, allowed());
    site.stand.clock.advance(Duration::from_secs(10));
    assert_eq!(
        site.get("/orgs/acme/runs", &short).await,
        error(401, "invalid_token")
    );
}

#[tokio::test]
async fn an_address_is_the_connection_s_and_no_header_s() {
    let site = Site::new();
    let check = Narrow::Addresses {
        ranges: vec!["10.0.0.0/8".into()],
        set: false,
    };
    let token = narrow(&site.token(RoleName::OWNER), &[check], &*site.stand.entropy).unwrap();
    let from = async |address: Option<&str>| {
        let mut asked = request("GET", "/orgs/acme/runs", Some(&token), Body::empty());
        for header in ["x-forwarded-for", "x-real-ip", "forwarded"] {
            asked
                .headers_mut()
                .insert(header, "10.1.2.3".parse().unwrap());
        }
        if let Some(address) = address {
            let address: IpAddr = address.parse().unwrap();
            asked.extensions_mut().insert(ClientAddress(address));
        }
        site.send(asked).await.outcome()
    };
    assert_eq!(from(None).await, error(403, "forbidden"));
    assert_eq!(from(Some("192.0.2.1")).await, error(403, "forbidden"));
    assert_eq!(from(Some("10.1.2.3")).await, allowed());
    assert_eq!(from(Some("::ffff:10.1.2.3")).await, allowed());
}
