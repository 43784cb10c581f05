//! Kinds of failures, and attempts that end in no result.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reports by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use super::AttemptError;
use crate::adapters::memory::MemoryStore;
use crate::domain::{Caller, Device, FailureKind, SignInName, Timestamp};
use crate::ports::Clock;
use crate::service::Identity;
use crate::testkit::ManualClock;
use crate::testkit::site::Site;

struct Scene {
    site: Site,
    name: SignInName,
    caller: Caller,
    device: Option<Device>,
}

impl Scene {
    async fn new() -> Self {
        let site = Site::new(
            Arc::new(MemoryStore::new()),
            Arc::new(ManualClock::default()),
            1,
        );
        site.found().await;
        let signed_in = site.sign_in("ada@example.com").await;
        let name = SignInName::of("ada@example.com");
        let token = signed_in.device_token.as_ref();
        let device = site.identity.device(token, &name, site.clock.now());
        assert!(device.is_some());
        Self {
            site,
            name,
            caller: Caller::system("test"),
            device,
        }
    }

    fn identity(&self) -> &Identity {
        &self.site.identity
    }

    fn at(&self) -> Timestamp {
        self.site.clock.now()
    }

    /// One attempt of a kind; the seconds to wait if it does not begin.
    async fn tries(&self, kind: FailureKind, device: Option<Device>, right: bool) -> u64 {
        let (identity, at) = (self.identity(), self.at());
        let attempt = identity.attempt(kind, &self.name, device, &self.caller, at);
        match attempt.await {
            Ok(attempt) => {
                assert_eq!(attempt.device().is_some(), device.is_some());
                if right {
                    identity.passed(attempt, at).await.unwrap();
                } else {
                    attempt.failed(None, at);
                }
                0
            }
            Err(AttemptError::SlowDown(slow)) => slow.retry_after.as_secs(),
            Err(AttemptError::Store(error)) => panic!("{error}"),
        }
    }
}

const PASSWORD: FailureKind = FailureKind::Password;
const FACTOR: FailureKind = FailureKind::SecondFactor;

#[tokio::test]
async fn asvs_6_3_1_a_right_password_forgives_no_second_factor() {
    let scene = Scene::new().await;
    for step in [1, 3, 5, 10, 10] {
        assert_eq!(scene.tries(PASSWORD, None, true).await, 0);
        assert_eq!(scene.tries(FACTOR, None, false).await, 0);
        assert_eq!(scene.tries(PASSWORD, None, true).await, 0);
        assert_eq!(scene.tries(FACTOR, None, true).await, step);
        scene.site.clock.advance(Duration::from_secs(step));
    }
    assert_eq!(scene.tries(FACTOR, None, true).await, 0);
    assert_eq!(scene.tries(FACTOR, None, false).await, 0);
    assert_eq!(scene.tries(FACTOR, None, false).await, 1, "begun anew");
    assert_eq!(scene.tries(PASSWORD, None, true).await, 0);
}

#[tokio::test]
async fn a_right_second_factor_forgives_no_password() {
    let scene = Scene::new().await;
    for step in [1, 3, 5] {
        assert_eq!(scene.tries(PASSWORD, None, false).await, 0);
        assert_eq!(scene.tries(FACTOR, None, true).await, 0);
        assert_eq!(scene.tries(PASSWORD, None, false).await, step);
        scene.site.clock.advance(Duration::from_secs(step));
    }
}

#[tokio::test]
async fn a_device_counts_its_second_factors_apart_too() {
    let scene = Scene::new().await;
    let device = scene.device;
    for _ in 0..10 {
        assert_eq!(scene.tries(PASSWORD, device, true).await, 0);
        assert_eq!(scene.tries(FACTOR, device, false).await, 0);
    }
    // From here on it is a stranger for the second factor, and recognised for the password.
    assert_eq!(scene.tries(PASSWORD, device, true).await, 0);
    let attempt = scene
        .identity()
        .attempt(FACTOR, &scene.name, device, &scene.caller, scene.at())
        .await
        .unwrap();
    assert_eq!(attempt.device(), None);
}

#[tokio::test]
async fn an_attempt_that_is_dropped_counts_for_nothing() {
    let scene = Scene::new().await;
    for _ in 0..50 {
        let attempt =
            scene
                .identity()
                .attempt(PASSWORD, &scene.name, None, &scene.caller, scene.at());
        drop(attempt.await.unwrap());
    }
    assert_eq!(scene.tries(PASSWORD, None, false).await, 0);
}

#[tokio::test]
async fn a_session_guesses_for_itself() {
    let scene = Scene::new().await;
    let session = scene.site.sign_in("ada@example.com").await.session.id;
    let other = scene.site.sign_in("ada@example.com").await.session.id;
    let (identity, at) = (scene.identity(), scene.at());
    let attempt = |session| identity.attempt_in(session, PASSWORD, &scene.caller, at);
    attempt(session).await.unwrap().failed(None, at);
    assert!(attempt(session).await.is_err());
    assert!(attempt(other).await.is_ok());
    assert_eq!(scene.tries(PASSWORD, None, true).await, 0);
}

#[tokio::test]
async fn its_memory_is_as_it_says() {
    let scene = Scene::new().await;
    let bytes = scene.identity().throttle().bytes();
    assert!((4 << 20..8 << 20).contains(&bytes), "{bytes}");
}
