//! Pages of lists.

use cyprob_core::domain::{Cursor, Page, PageRequest};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::ApiError;

/// A page: its items and the cursor of the next one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageAnswer<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl<T> PageAnswer<T> {
    pub(crate) fn of<U>(page: Page<U>, item: impl FnMut(U) -> T) -> Self {
        let Page { items, next } = page.map(item);
        Self {
            items,
            next_cursor: next.map(|cursor| cursor.to_string()),
        }
    }

    /// A page of a list that is whole in memory; its cursor is the place of the last item.
    pub(crate) fn cut(items: Vec<T>, page: &PageRequest) -> Result<Self, ApiError> {
        let begun = match page.after() {
            None => 0,
            Some(cursor) => <[u8; 16]>::try_from(cursor)
                .ok()
                .and_then(|place| usize::try_from(u128::from_be_bytes(place)).ok())
                .filter(|place| *place <= items.len())
                .ok_or(ApiError::InvalidCursor)?,
        };
        let ended = begun.saturating_add(page.limit()).min(items.len());
        let next_cursor = (ended < items.len()).then(|| {
            Cursor::new(
                u128::try_from(ended)
                    .unwrap_or(u128::MAX)
                    .to_be_bytes()
                    .to_vec(),
            )
            .to_string()
        });
        let items = items
            .into_iter()
            .skip(begun)
            .take(ended.saturating_sub(begun))
            .collect();
        Ok(Self { items, next_cursor })
    }
}
