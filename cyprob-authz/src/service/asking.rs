//! Questions to a custody that may not answer.

use std::future::Future;
use std::time::Duration;

use cyprob_core::domain::Timestamp;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::ports::CustodyError;

/// How long an answer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// After so long a question is given up, and may be asked again.
const GIVEN_UP: Duration = Duration::from_secs(60);

type Answer<T> = Result<T, CustodyError>;

/// One question at a time: while the last is not answered, no other is asked.
///
/// So a custody that hangs has one question to answer, however often the plans are read.
#[derive(Debug)]
pub(super) struct Asking<T>(Mutex<Option<(Timestamp, JoinHandle<Answer<T>>)>>);

impl<T: Send + 'static> Asking<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The answer, if it comes in time.
    pub(super) async fn ask(
        &self,
        at: Timestamp,
        question: impl Future<Output = Answer<T>> + Send + 'static,
    ) -> Answer<T> {
        let mut open = self.0.lock().await;
        if let Some((since, asked)) = open.as_ref().filter(|(_, asked)| !asked.is_finished()) {
            if at.since(*since) <= GIVEN_UP {
                return Err(silent());
            }
            asked.abort();
        }
        // What was answered too late is of the past.
        let (_, asked) = open.insert((at, tokio::spawn(question)));
        let answer = in_time(async { asked.await.map_err(CustodyError::unavailable)? }).await;
        if open.as_ref().is_some_and(|(_, asked)| asked.is_finished()) {
            *open = None;
        }
        answer
    }
}

/// What the custody answers, or that it does not.
pub(super) async fn in_time<T>(answer: impl Future<Output = Answer<T>>) -> Answer<T> {
    timeout(PATIENCE, answer)
        .await
        .unwrap_or_else(|_| Err(silent()))
}

/// The custody does not answer.
pub(super) fn silent() -> CustodyError {
    CustodyError::unavailable("it does not answer")
}
