//! A role that is taken with the token of a file.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::super::*;
use super::stand::{Moto, moto};
use crate::ports::Refusal;
use crate::testkit::fault_proxy::{Fault, FaultProxy};
use crate::testkit::provider::ProviderStand as _;

pub(super) const TOKEN: &str = "w3b-1d3nt1ty-t0k3n-c0ff";

pub(super) struct Identity {
    pub(super) stand: Moto,
    /// In front of the token service.
    pub(super) tokens: FaultProxy,
    dir: TempDir,
}

impl Identity {
    pub(super) async fn new() -> Self {
        let tokens = FaultProxy::start(moto()).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let role = "arn:aws:iam::123456789012:role/cyprob";
        let role = AwsWebIdentity::new(role, "cyprob-test", file(&dir)).unwrap();
        let stand = Moto::with_tokens(AwsCredentials::WebIdentity(role), &tokens).await;
        stand.put("a", b"one").await;
        Self { stand, tokens, dir }
    }

    pub(super) fn write(&self, token: &str) {
        fs::write(file(&self.dir), token).unwrap();
    }
}

/// An error as the token service writes it.
pub(super) fn says(code: u16, kind: &str) -> Fault {
    let error = format!("<Error><Type>Sender</Type><Code>{kind}</Code></Error>");
    let body = format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>");
    Fault::Status { code, body }
}

fn file(dir: &TempDir) -> PathBuf {
    dir.path().join("token")
}

#[tokio::test]
async fn a_token_is_exchanged_once_for_many_reads() {
    let identity = Identity::new().await;
    identity.write(&format!("{TOKEN}\n"));
    let mut together = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let provider = identity.stand.provider.clone();
        let reference = identity.stand.newest("a");
        together.spawn(async move { provider.read(&reference).await });
    }
    while let Some(read) = together.join_next().await {
        assert!(read.unwrap().unwrap().is_some());
    }
    assert_eq!(identity.tokens.requests(), 1);
    assert_eq!(identity.stand.proxy.requests(), 20);
}

#[tokio::test]
async fn without_a_token_it_is_an_outage_until_there_is_one() {
    let identity = Identity::new().await;
    let stand = &identity.stand;
    let outage = |read| matches!(read, Err(SecretError::Unavailable { .. }));
    assert!(outage(stand.read("a", "").await));
    let long = "x".repeat(20_001);
    for bad in ["", "\n", &long] {
        identity.write(bad);
        assert!(outage(stand.read("a", "").await));
    }
    assert_eq!(identity.tokens.requests(), 0);
    assert_eq!(stand.proxy.requests(), 0);
    identity.write(TOKEN);
    assert!(stand.read("a", "").await.unwrap().is_some());
}

#[tokio::test]
async fn a_token_service_that_refuses_denies_and_one_that_fails_is_an_outage() {
    let identity = Identity::new().await;
    identity.write(TOKEN);
    let stand = &identity.stand;
    for kind in [
        "AccessDenied",
        "InvalidIdentityToken",
        "ExpiredTokenException",
    ] {
        identity.tokens.inject(says(403, kind));
        let error = stand.read("a", "").await.unwrap_err();
        let denied = matches!(
            error,
            SecretError::Refused {
                refusal: Refusal::Denied,
                ..
            }
        );
        assert!(denied, "{kind}: {error:?}");
    }
    for fault in [
        says(500, "InternalFailure"),
        says(400, "Throttling"),
        Fault::Refuse,
        Fault::Hang,
        Fault::Garbage,
        Fault::Truncate(200),
    ] {
        identity.tokens.inject(fault.clone());
        let read = stand.read("a", "").await;
        let outage = matches!(read, Err(SecretError::Unavailable { .. }));
        assert!(outage, "{fault:?}: {read:?}");
    }
    assert_eq!(stand.proxy.requests(), 0);
    identity.tokens.heal();
    assert!(stand.read("a", "").await.unwrap().is_some());
}
