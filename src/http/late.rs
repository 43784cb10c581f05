//! Answers that come late: those to whoever tries too often.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::ApiError;

/// The shortest and the longest time for which such an answer is held back.
const HELD: [Duration; 2] = [Duration::from_millis(500), Duration::from_millis(1_250)];
/// Most answers that are held back at once; each is a waiting task of a few KiB.
const AT_ONCE: usize = 1_024;

/// Holds refusals back, so that a client that repeats them as fast as it is answered repeats little.
///
/// To refuse is cheap, but two hundred clients that are refused at once and come
/// back at once take every core from those who are signed in. Each is held for
/// another time, or they would come back together. Clones share the places.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    places: Arc<Semaphore>,
    number: Arc<AtomicU32>,
}

impl Default for Late {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            number: Arc::default(),
        }
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
            && let Ok(_place) = self.places.try_acquire()
        {
            tokio::time::sleep(self.held()).await;
        }
        Err(error)
    }

    /// Steps of the golden ratio: any few that follow one another lie apart.
    fn held(&self) -> Duration {
        const STEP: u32 = 0x9e37_79b9;
        let [least, most] = HELD;
        let place = self.number.fetch_add(STEP, Ordering::Relaxed);
        least + (most - least).mul_f64(f64::from(place) / f64::from(u32::MAX))
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
        assert!(HELD[0] <= begun.elapsed() && begun.elapsed() <= HELD[1]);
    }

    #[test]
    fn they_come_back_apart() {
        let late = Late::default();
        let mut held: Vec<_> = (0..100).map(|_| late.held()).collect();
        held.sort_unstable();
        let nearest = held.windows(2).map(|pair| pair[1] - pair[0]).min();
        assert!(nearest > Some((HELD[1] - HELD[0]) / 300), "{nearest:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_wait_as_there_are_places() {
        let late = Late::default();
        let _all = late.places.try_acquire_many(AT_ONCE as u32).unwrap();
        let begun = Instant::now();
        let busy = ApiError::Busy(Duration::from_secs(1));
        assert!(late.answer(Err::<(), _>(busy)).await.is_err());
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
