//! A reader that looks at one secret all the time.

use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cyprob_core::ports::Clock;
use cyprob_secrets::domain::{Keeping, SecretRef};
use cyprob_secrets::ports::{SecretError, SecretProvider};
use cyprob_secrets::service::{Freshness, SecretReader, SecretResolver};
use secrecy::ExposeSecret as _;

use super::Row;

/// How long the secret is fresh, and served where its source is out of reach.
const FRESH: Duration = Duration::from_secs(2);
const STALE: Duration = Duration::from_secs(10);
/// How long a read may take: the source's own bound, and the machine's load.
const PROMPT: Duration = Duration::from_secs(20);
/// How long a test waits for the end of a fault at most.
const HEALED: Duration = Duration::from_secs(60);

pub(super) struct Reading {
    reader: SecretReader,
    secret: SecretRef,
}

/// What one read said.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    Fresh(String),
    /// Of so long ago, and why.
    Stale(Duration, String),
    Nothing,
    Refused(String),
    Unavailable(String),
}

fn cause(error: &SecretError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

impl Reading {
    pub(super) fn of(
        source: Arc<dyn SecretProvider>,
        clock: Arc<dyn Clock>,
        secret: SecretRef,
    ) -> Self {
        let sources = SecretResolver::new().with(source).unwrap();
        let keeping = Keeping::new(FRESH, STALE).unwrap();
        Self {
            reader: SecretReader::new(sources, keeping, clock),
            secret,
        }
    }

    pub(super) async fn said(&self) -> Said {
        let begun = Instant::now();
        let read = self.reader.read(&self.secret).await;
        assert!(
            begun.elapsed() < PROMPT,
            "a read took {:?}",
            begun.elapsed()
        );
        match read {
            Ok(Some(served)) => match served.freshness() {
                Freshness::Fresh => {
                    assert!(served.age() < FRESH);
                    let value = served.secret().value.expose_secret();
                    Said::Fresh(String::from_utf8(value.to_vec()).unwrap())
                }
                Freshness::Stale { age, cause: why } => {
                    // SEC-2: never past its bound.
                    assert!(age >= FRESH && age < STALE, "{age:?}");
                    Said::Stale(age, cause(&why))
                }
            },
            Ok(None) => Said::Nothing,
            Err(SecretError::Refused { refusal, .. }) => Said::Refused(format!("{refusal:?}")),
            Err(error @ SecretError::Unavailable { .. }) => Said::Unavailable(cause(&error)),
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Waits for the secret to be as it is without faults.
    pub(super) async fn fresh(&self) -> (String, Duration) {
        let begun = Instant::now();
        loop {
            if let Said::Fresh(value) = self.said().await {
                return (value, begun.elapsed());
            }
            assert!(begun.elapsed() < HEALED, "it does not heal");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reads until the bound is past, through an outage with this cause and no other.
    pub(super) async fn outage(&self, why: &str) -> String {
        let (mut oldest, mut causes) = (Duration::ZERO, Vec::new());
        loop {
            match self.said().await {
                Said::Fresh(_) => assert_eq!(oldest, Duration::ZERO, "fresh again by itself"),
                Said::Stale(age, cause) => {
                    oldest = age;
                    causes.push(cause);
                }
                Said::Unavailable(cause) => {
                    causes.push(cause);
                    break;
                }
                other => panic!("no outage: {other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(causes.len() > 1, "it was not served in the outage at all");
        assert!(causes.iter().all(|cause| cause == why), "{why}: {causes:?}");
        let oldest = oldest.as_secs_f64();
        format!("what was in memory, up to {oldest:.1} s old, then `Unavailable` ({why})")
    }

    /// Reads until something holds, through an outage or none: how it was served.
    pub(super) async fn until(&self, holds: impl Fn() -> bool) -> String {
        let (begun, mut outage) = (Instant::now(), None);
        while !holds() {
            assert!(begun.elapsed() < HEALED, "it does not come");
            match self.said().await {
                Said::Fresh(_) => {}
                Said::Stale(age, cause) => outage = Some((age, cause)),
                other => panic!("it is not served: {other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        match outage {
            None => "nothing of it".to_owned(),
            Some((age, cause)) => {
                let age = age.as_secs_f64();
                format!("what was in memory, up to {age:.1} s old ({cause})")
            }
        }
    }

    /// What is said in an outage after a withdrawal: nothing of it is left in memory.
    pub(super) async fn gone(&self) {
        let said = self.said().await;
        assert!(matches!(said, Said::Unavailable(_)), "{said:?}");
    }

    /// What is said once what is in memory is not fresh any more.
    pub(super) async fn after_fresh(&self) -> Said {
        tokio::time::sleep(FRESH + Duration::from_millis(100)).await;
        self.said().await
    }

    /// The row of a fault that is over now.
    pub(super) async fn row(&self, saw: String, value: &str) -> Row {
        let (healed, recovery) = self.fresh().await;
        assert_eq!(healed, value);
        Row { saw, recovery }
    }
}

impl Said {
    /// What a source says that withdraws a secret.
    pub(super) fn withdrawn(self) -> String {
        match self {
            Self::Nothing => "nothing: the secret is gone from memory".to_owned(),
            Self::Refused(refusal) => format!("`Refused`: `{refusal}`, gone from memory"),
            other => panic!("it was not withdrawn: {other:?}"),
        }
    }
}
