//! Every caller, method and path, hostile ones too.

use std::time::Duration;

use cyprob_authz::domain::{AccessClaims, OrgClaims};
use cyprob_authz::testkit::{Narrow, narrow};
use cyprob_core::domain::{Revocation, RevocationEntry, RoleName};
use cyprob_core::ports::RevocationFeed as _;

use crate::support::Both;

/// A token of every kind.
fn callers(both: &Both) -> Vec<(&'static str, Option<String>)> {
    let stand = &both.stand;
    let claims = || stand.claims(Some(both.org.clone()));
    let owner = both.token(RoleName::OWNER);
    let narrowed = |check| Some(narrow(&owner, &[check], &*stand.entropy).unwrap());
    let revoked = claims();
    let entry = RevocationEntry {
        what: Revocation::Session(revoked.session),
        expires_at: revoked.expires_at,
    };
    stand.revocations.publish(&[entry]);
    let old = stand.now().before(Duration::from_secs(3_600));
    let mut all = vec![
        ("nobody", None),
        ("rubbish", Some("rubbish".to_owned())),
        ("no scheme", Some("a b".to_owned())),
        ("revoked", Some(stand.mint(&revoked))),
        ("no organization", Some(stand.mint(&stand.claims(None)))),
        (
            "administrator",
            Some(stand.mint(&AccessClaims {
                administrator: true,
                ..stand.claims(None)
            })),
        ),
        (
            "signed in long ago",
            Some(stand.mint(&AccessClaims {
                auth_time: old,
                administrator: true,
                ..claims()
            })),
        ),
        ("a job", Some(stand.mint_job(&stand.job()))),
        (
            "reads alone",
            narrowed(Narrow::Permissions {
                names: vec!["runs:read".into()],
                set: false,
            }),
        ),
        (
            "one run",
            narrowed(Narrow::Resources {
                ids: vec!["run 7".into()],
                set: false,
            }),
        ),
        (
            "over",
            narrowed(Narrow::Before {
                second: 1,
                inclusive: false,
            }),
        ),
    ];
    for role in [
        RoleName::OWNER,
        RoleName::ADMIN,
        RoleName::OPERATOR,
        RoleName::ANALYST,
        RoleName::AUDITOR,
        RoleName::VIEWER,
    ] {
        all.push(("a member", Some(both.token(role.clone()))));
        let org = OrgClaims {
            role,
            ..both.org.clone()
        };
        let machine = stand.service(org);
        all.push(("a machine", Some(stand.mint_service(&machine))));
    }
    all
}

#[tokio::test]
async fn every_cell_is_answered_as_the_router_answers_it() {
    let both = Both::new();
    let mut outcomes = std::collections::BTreeMap::new();
    for (_, token) in callers(&both) {
        for path in [
            "/open",
            "/files/a/b",
            "/me",
            "/me/password",
            "/orgs/acme/runs",
            "/orgs/globex/runs",
            "/orgs/acme/runs/run%207",
            "/orgs/acme/secrets/x",
            "/system/orgs",
            "/worker/runs/run_1/result",
            "/nothing",
        ] {
            for method in [
                "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
            ] {
                let seen = both.same(method, path, token.as_deref()).await;
                *outcomes
                    .entry((seen.status.as_u16(), seen.code))
                    .or_insert(0) += 1;
            }
        }
    }
    let codes: Vec<_> = outcomes
        .keys()
        .filter_map(|(_, code)| code.as_deref())
        .collect();
    assert_eq!(
        codes,
        [
            "invalid_token",
            "step_up_required",
            "forbidden",
            "not_found",
            "method_not_allowed",
        ]
    );
    assert!(outcomes[&(200, None)] > 50, "{outcomes:?}");
    assert!(!both.stand.denials.events().is_empty());
}

#[tokio::test]
async fn a_worker_s_own_run_and_no_other() {
    let both = Both::new();
    let job = both.stand.job();
    let token = both.stand.mint_job(&job);
    for (run, status) in [(job.run.to_string(), 200), ("run_1".to_owned(), 404)] {
        let path = format!("/worker/runs/{run}/result");
        assert_eq!(both.same("POST", &path, Some(&token)).await.status, status);
    }
}

#[tokio::test]
async fn hostile_paths_are_read_as_the_router_reads_them() {
    let both = Both::new();
    let owner = both.token(RoleName::OWNER);
    let mut admitted = Vec::new();
    for path in [
        "/",
        "//",
        "/open/",
        "//open",
        "/open//",
        "/OPEN",
        "/%6Fpen",
        "/open%00",
        "/open%2F",
        "/./open",
        "/x/../open",
        "/open?x=1",
        "/open;x",
        "/open%3Fx",
        "/open#x",
        "/op%65n",
        "/orgs/acme/runs/",
        "/orgs//acme/runs",
        "/orgs/acme//runs",
        "/orgs//runs",
        "/orgs/acme%2Fruns",
        "/orgs/acme%2fruns/runs",
        "/orgs/%61cme/runs",
        "/orgs/acme%20/runs",
        "/orgs/acme%00/runs",
        "/orgs/%ff/runs",
        "/orgs/%/runs",
        "/orgs/%zz/runs",
        "/orgs/%2561cme/runs",
        "/orgs/./runs",
        "/orgs/../runs",
        "/orgs/acme/../globex/runs",
        "/orgs/%2e%2e/runs",
        "/orgs/{org}/runs",
        "/orgs/*/runs",
        "/orgs/acme/runs/%2e%2e",
        "/orgs/acme/runs/..",
        "/orgs/acme/runs/a%2Fb",
        "/orgs/acme/runs/a/b",
        "/orgs/acme/runs/%ff",
        "/orgs/acme/runs//",
        "/orgs/acme/runs/%20",
        "/orgs/acme+x/runs",
        "/orgs/acme/runs;v=1",
        "/files/",
        "/files",
        "/files//",
        "/files/..",
        "/files/%2e%2e/x",
        "/files/%ff",
        "/system//orgs",
        "/system/orgs/",
        "/system/orgs%20",
        "http://other.example/open",
        "http://other.example/orgs/acme/runs",
    ] {
        for method in ["GET", "POST", "PUT", "HEAD"] {
            for token in [None, Some(&*owner)] {
                let seen = both.same(method, path, token).await;
                if seen.status == 200 && token.is_some() && method == "GET" {
                    admitted.push(path);
                }
            }
        }
    }
    assert_eq!(
        admitted,
        [
            "/open?x=1",
            "/open#x",
            "/orgs/%61cme/runs",
            "/orgs/acme/runs/%2e%2e",
            "/orgs/acme/runs/..",
            "/orgs/acme/runs/a%2Fb",
            "/orgs/acme/runs/%20",
            "http://other.example/open",
            "http://other.example/orgs/acme/runs",
        ]
    );
}
