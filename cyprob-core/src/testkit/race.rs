//! Racers.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Barrier;

/// Starts all racers at once and waits for all; what each gave, in their order.
///
/// A racer that panics makes the race panic.
///
/// # Errors
///
/// The first racer's that failed.
pub async fn race<T, E, F>(racers: impl IntoIterator<Item = F>) -> Result<Vec<T>, E>
where
    T: Send + 'static,
    E: Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let racers: Vec<F> = racers.into_iter().collect();
    let start = Arc::new(Barrier::new(racers.len()));
    let running: Vec<_> = racers
        .into_iter()
        .map(|racer| {
            let start = Arc::clone(&start);
            tokio::spawn(async move {
                start.wait().await;
                racer.await
            })
        })
        .collect();
    let mut ended = Vec::with_capacity(running.len());
    for task in running {
        match task.await {
            Ok(result) => ended.push(result?),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    Ok(ended)
}
