//! A source that does what a test says.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{Scheme, SecretRef, SecretValue, SecretVersion, SourceVersion};
use crate::ports::{Refusal, Secret, SecretError, SecretProvider};

/// What a scripted source does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It gives a value of this version.
    Give(u64),
    /// It gives the same value, and has no versions.
    Unversioned(u64),
    /// It has none.
    Nothing,
    /// It will not give it.
    Refuse,
    /// It cannot be reached.
    Fail,
    /// It never answers.
    Hang,
    /// It panics.
    Panic,
}

/// Serves `local://` references by a script: each act once, the last of them ever after.
#[derive(Debug)]
pub struct Scripted {
    acts: Mutex<VecDeque<Act>>,
    /// How long it takes to answer.
    delay: Duration,
    asked: AtomicUsize,
}

impl Scripted {
    /// A source with this script.
    #[must_use]
    pub fn new(acts: impl IntoIterator<Item = Act>, delay: Duration) -> Self {
        Self {
            acts: Mutex::new(acts.into_iter().collect()),
            delay,
            asked: AtomicUsize::new(0),
        }
    }

    /// How often it was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Goes on with another script.
    pub fn now(&self, acts: impl IntoIterator<Item = Act>) {
        *self.acts.lock().unwrap_or_else(PoisonError::into_inner) = acts.into_iter().collect();
    }

    fn next(&self) -> Act {
        let mut acts = self.acts.lock().unwrap_or_else(PoisonError::into_inner);
        match acts.len() {
            0 => Act::Nothing,
            1 => acts.front().copied().unwrap_or(Act::Nothing),
            _ => acts.pop_front().unwrap_or(Act::Nothing),
        }
    }
}

/// The value of a version.
#[must_use]
pub fn value_of(version: u64) -> SecretValue {
    let bytes = format!("value {version}").into_bytes();
    SecretValue::new(bytes).unwrap_or_else(|_| unreachable!("a short text"))
}

#[async_trait]
impl SecretProvider for Scripted {
    fn scheme(&self) -> Scheme {
        Scheme::Local
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let act = self.next();
        tokio::time::sleep(self.delay).await;
        match act {
            Act::Give(version) => Ok(Some(Secret {
                value: value_of(version),
                version: SecretVersion::new(version).map(SourceVersion::from),
                stored_at: None,
            })),
            Act::Unversioned(version) => Ok(Some(Secret {
                value: value_of(version),
                version: None,
                stored_at: None,
            })),
            Act::Nothing => Ok(None),
            Act::Refuse => Err(SecretError::refused(reference, Refusal::NotAllowed)),
            Act::Fail => Err(SecretError::unavailable("scripted")),
            Act::Hang => std::future::pending().await,
            Act::Panic => unreachable!("a panic, as the script says"),
        }
    }
}
