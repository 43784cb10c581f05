//! Races and walks over pages.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Barrier;

use crate::domain::{Page, PageRequest};
use crate::ports::store::StoreError;

/// Starts all racers at once and waits for all.
pub(super) async fn race<T, F>(racers: impl IntoIterator<Item = F>) -> Result<Vec<T>, StoreError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
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
        ended.push(task.await.map_err(StoreError::unavailable)??);
    }
    Ok(ended)
}

/// Walks all pages; checks that each but the last is full and names the next.
pub(super) async fn walk<T, F>(
    limit: u8,
    list: impl Fn(PageRequest) -> F,
) -> Result<Vec<T>, StoreError>
where
    F: Future<Output = Result<Page<T>, StoreError>>,
{
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = list(PageRequest::new(limit, after)).await?;
        assert!(page.items.len() <= usize::from(limit), "a page too long");
        let full = page.items.len() == usize::from(limit);
        all.extend(page.items);
        match page.next {
            Some(next) => {
                assert!(full, "a short page that names a next one");
                after = Some(next);
            }
            None => return Ok(all),
        }
        assert!(all.len() <= 1_000, "the pages do not end");
    }
}
