//! What AWS says in place of a secret; moto itself never does.

use super::super::*;
use super::stand::Moto;
use crate::ports::Refusal;
use crate::testkit::fault_proxy::Fault;
use crate::testkit::provider::ProviderStand as _;

fn says(code: u16, kind: &str, message: &str) -> Fault {
    let body = format!("{{\"__type\":\"{kind}\",\"Message\":\"{message}\"}}");
    Fault::Status { code, body }
}

/// What one read gives under a fault, and how many requests it makes.
async fn told(stand: &Moto, fault: Fault) -> (Result<Option<Secret>, SecretError>, usize) {
    let before = stand.proxy.requests();
    stand.proxy.inject(fault);
    let read = stand.read("a", "").await;
    stand.proxy.heal();
    (read, stand.proxy.requests() - before)
}

#[tokio::test]
async fn a_denial_is_a_refusal_with_a_remedy_and_not_tried_again() {
    let stand = Moto::new().await;
    stand.put("a", b"one").await;
    for kind in [
        "AccessDeniedException",
        "UnrecognizedClientException",
        "ExpiredTokenException",
        "DecryptionFailure",
        "com.amazonaws.secretsmanager#AccessDeniedException",
    ] {
        let (read, requests) = told(&stand, says(400, kind, "User is not authorized")).await;
        let error = read.unwrap_err();
        let denied = matches!(
            error,
            SecretError::Refused {
                refusal: Refusal::Denied,
                ..
            }
        );
        assert!(denied, "{kind}: {error:?}");
        assert!(error.to_string().ends_with("; grant that"));
        assert_eq!(requests, 1, "{kind}");
    }
    let (read, _) = told(&stand, says(403, "", "")).await;
    assert!(matches!(
        read.unwrap_err(),
        SecretError::Refused {
            refusal: Refusal::Denied,
            ..
        }
    ));
}

#[tokio::test]
async fn an_absence_and_a_deletion_are_none() {
    let stand = Moto::new().await;
    stand.put("a", b"one").await;
    let gone = "You can't perform this operation on the secret because it was marked for deletion.";
    for (kind, message) in [
        (
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret.",
        ),
        ("InvalidRequestException", gone),
    ] {
        let (read, requests) = told(&stand, says(400, kind, message)).await;
        assert!(read.unwrap().is_none(), "{kind}");
        assert_eq!(requests, 1, "{kind}");
    }
    let (read, _) = told(&stand, says(400, "InvalidParameterException", "")).await;
    assert!(matches!(
        read.unwrap_err(),
        SecretError::Refused {
            refusal: Refusal::NotTaken,
            ..
        }
    ));
}

#[tokio::test]
async fn a_service_in_distress_is_an_outage_after_one_more_attempt() {
    let stand = Moto::new().await;
    stand.put("a", b"one").await;
    for (code, kind) in [
        (400, "ThrottlingException"),
        (429, "TooManyRequestsException"),
        (500, "InternalServiceError"),
        (503, "ServiceUnavailable"),
        // Even where it claims something about the secret.
        (500, "ResourceNotFoundException"),
    ] {
        let (read, requests) = told(&stand, says(code, kind, "")).await;
        let error = read.unwrap_err();
        let outage = matches!(error, SecretError::Unavailable { .. });
        assert!(outage, "{kind}: {error:?}");
        let attempts = match kind {
            "ResourceNotFoundException" => 1..=2,
            _ => 2..=2,
        };
        assert!(attempts.contains(&requests), "{kind}: {requests}");
    }
    // Nobody says anything about the secret: a page of a proxy, a wrong address.
    for code in [404, 400, 301] {
        let page = Fault::Status {
            code,
            body: "<html>no</html>".to_owned(),
        };
        let (read, _) = told(&stand, page).await;
        let outage = matches!(read, Err(SecretError::Unavailable { .. }));
        assert!(outage, "{code}");
    }
}

#[tokio::test]
async fn an_answer_to_another_question_is_no_answer() {
    let stand = Moto::new().await;
    stand.put("a", b"one").await;
    let name = stand.name("a");
    let id = "3f2a8c1e-0b54-4d0e-9f6e-6b8f7c1d2e3f";
    let answer = |name: &str, id: &str, rest: &str| Fault::Status {
        code: 200,
        body: format!("{{\"Name\":\"{name}\",\"VersionId\":\"{id}\"{rest}}}"),
    };
    let value = ",\"SecretString\":\"other\"";
    let both = ",\"SecretString\":\"other\",\"SecretBinary\":\"AAAA\"";
    // The answer as it should be is taken, so each of the others is refused for its one fault.
    let (read, _) = told(&stand, answer(&name, id, value)).await;
    assert!(read.unwrap().is_some());
    for wrong in [
        answer("another", id, value),
        answer(&name, "", value),
        answer(&name, "no id", value),
        answer(&name, id, ""),
        answer(&name, id, both),
    ] {
        let (read, _) = told(&stand, wrong.clone()).await;
        let outage = matches!(read, Err(SecretError::Unavailable { .. }));
        assert!(outage, "{wrong:?}");
    }
    stand.proxy.inject(answer(&name, id, value));
    let pinned = "?version=00000000-0000-4000-8000-000000000000";
    let read = stand.read("a", pinned).await;
    assert!(matches!(read, Err(SecretError::Unavailable { .. })));
    assert!(
        stand
            .read("a", &format!("?version={id}"))
            .await
            .unwrap()
            .is_some()
    );
}
