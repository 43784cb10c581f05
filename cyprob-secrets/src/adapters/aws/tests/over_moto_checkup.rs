//! A look at a configuration.

use super::super::*;
use super::over_moto_identity::{Identity, TOKEN, says};
use super::stand::{KEY, Moto, SESSION, keys, moto};
use crate::testkit::fault_proxy::{Fault, FaultProxy};

/// What was refused, and whether nothing was.
async fn looked(stand: &Moto) -> (Vec<String>, Vec<AwsProblem>) {
    let found = stand.provider.config.check_up().await;
    for finding in &found {
        for secret in [TOKEN, KEY, SESSION] {
            assert!(!format!("{finding} {finding:?}").contains(secret));
        }
    }
    let lines = found.iter().map(ToString::to_string).collect();
    let refused = found
        .into_iter()
        .filter_map(|finding| match finding.verdict {
            AwsVerdict::Refused(problem) => Some(problem),
            _ => None,
        });
    (lines, refused.collect())
}

#[tokio::test]
async fn a_role_is_well_and_reads_nothing() {
    let identity = Identity::new().await;
    identity.write(TOKEN);
    let (lines, refused) = looked(&identity.stand).await;
    assert_eq!(refused, []);
    let caller = "aws caller arn:aws:sts::123456789012:assumed-role/cyprob/cyprob-test: keys of a role, which end by themselves";
    for told in [
        "aws endpoint: by TLS, or on this machine",
        "aws token service: by TLS, or on this machine",
        "aws credentials: accepted",
        caller,
        "aws secrets manager: answers",
    ] {
        assert!(lines.iter().any(|line| line == told), "{told}: {lines:?}");
    }
    assert_eq!(lines.len(), 6, "{lines:?}");
}

#[tokio::test]
async fn a_user_s_keys_are_a_remark() {
    let tokens = FaultProxy::start(moto()).await.unwrap();
    let stand = Moto::with_tokens(keys(), &tokens).await;
    let (lines, refused) = looked(&stand).await;
    assert_eq!(refused, []);
    let user = |line: &String| line.starts_with("aws caller") && line.contains("keys of a user");
    assert!(lines.iter().any(user), "{lines:?}");
}

#[tokio::test]
async fn each_thing_that_is_wrong_is_refused_for_what_it_is() {
    let identity = Identity::new().await;
    let (stand, tokens) = (&identity.stand, &identity.tokens);
    assert_eq!(looked(stand).await.1, [AwsProblem::NoToken]);
    assert_eq!(tokens.requests(), 0);
    identity.write(TOKEN);
    for kind in ["AccessDenied", "InvalidIdentityToken", "ExpiredToken"] {
        tokens.inject(says(403, kind));
        assert_eq!(looked(stand).await.1, [AwsProblem::Denied], "{kind}");
    }
    tokens.inject(says(400, "ValidationError"));
    assert_eq!(looked(stand).await.1, [AwsProblem::NoRole]);
    for fault in [says(500, "InternalFailure"), Fault::Refuse, Fault::Garbage] {
        tokens.inject(fault.clone());
        let refused = looked(stand).await.1;
        let away = matches!(refused[..], [AwsProblem::Unavailable(_)]);
        assert!(away, "{fault:?}: {refused:?}");
    }
    tokens.heal();
    for fault in [Fault::Refuse, Fault::Garbage, says(500, "x")] {
        stand.proxy.inject(fault.clone());
        let (lines, refused) = looked(stand).await;
        let away = matches!(refused[..], [AwsProblem::Unavailable(_)]);
        let last = lines.last().unwrap();
        assert!(away && last.starts_with("aws secrets manager"), "{lines:?}");
    }
    // That a password may not be drawn says that it answers.
    let denied = |kind: &str| Fault::Status {
        code: 400,
        body: format!("{{\"__type\": \"{kind}\", \"message\": \"no\"}}"),
    };
    stand.proxy.inject(denied("AccessDeniedException"));
    assert_eq!(looked(stand).await.1, []);
    stand.proxy.inject(denied("UnrecognizedClientException"));
    assert_eq!(looked(stand).await.1, [AwsProblem::Refuses]);
}

#[tokio::test]
async fn nothing_is_sent_to_a_service_in_the_clear() {
    let identity = Identity::new().await;
    identity.write(TOKEN);
    // No loopback address, and yet one that reaches what counts.
    let clear = |url: String| {
        let url = url.replace("127.0.0.1", "0.0.0.0");
        AwsEndpoint::dangerous(&url).unwrap()
    };
    let config = || identity.stand.provider.config.clone();
    for config in [
        config().with_endpoint(clear(identity.stand.proxy.url())),
        config().with_token_service(clear(identity.tokens.url())),
    ] {
        let found = config.check_up().await;
        let refused: Vec<_> = found.iter().filter(|found| found.is_refused()).collect();
        assert!(
            matches!(
                refused[..],
                [AwsFinding {
                    verdict: AwsVerdict::Refused(AwsProblem::Cleartext),
                    ..
                }]
            ),
            "{found:?}"
        );
    }
    assert_eq!(
        identity.tokens.requests() + identity.stand.proxy.requests(),
        0
    );
}
