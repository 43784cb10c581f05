//! Walks over pages.

use std::future::Future;

use crate::domain::{Page, PageRequest};
use crate::ports::store::StoreError;

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
