//! Answers that come late: those to whoever tries too often.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::ApiError;

/// How long such an answer is held back.
const HELD: Duration = Duration::from_millis(250);
/// Most answers that are held back at once; each is a waiting task of a few KiB.
const AT_ONCE: usize = 1_024;

/// Holds refusals back, so that a client that repeats them as fast as it is answered repeats little.
///
/// To refuse is cheap, but two hundred clients that are refused at once and come
/// back at once take every core from those who are signed in. Clones share the places.
#[derive(Clone, Debug)]
pub(crate) struct Late(Arc<Semaphore>);

impl Default for Late {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Late {
    /// The result, later if it is "too many attempts" or "too busy"; at once if too many wait already.
    pub(crate) async fn answer<T, E: Into<ApiError>>(
        &self,
        result: Result<T, E>,
    ) -> Result<T, ApiError> {
        let error = match result {
            Ok(done) => return Ok(done),
            Err(error) => error.into(),
        };
        if matches!(error, ApiError::SlowDown(_) | ApiError::Busy(_))
            && let Ok(_place) = self.0.try_acquire()
        {
            tokio::time::sleep(HELD).await;
        }
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_refusals_of_too_many_attempts_wait() {
        let late = Late::default();
        let begun = Instant::now();
        assert!(late.answer(Ok::<_, ApiError>(())).await.is_ok());
        let refused = late.answer(Err::<(), _>(ApiError::NotFound)).await;
        assert!(matches!(refused, Err(ApiError::NotFound)));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        let slow = ApiError::SlowDown(Duration::from_secs(7));
        let refused = late.answer(Err::<(), _>(slow)).await;
        assert!(matches!(refused, Err(ApiError::SlowDown(after)) if after.as_secs() == 7));
        assert_eq!(begun.elapsed(), HELD);
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_wait_as_there_are_places() {
        let late = Late::default();
        let _all = late.0.try_acquire_many(AT_ONCE as u32).unwrap();
        let begun = Instant::now();
        let busy = ApiError::Busy(Duration::from_secs(1));
        assert!(late.answer(Err::<(), _>(busy)).await.is_err());
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
