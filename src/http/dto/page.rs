//! Pages of lists.

use cyprob_core::domain::Page;
use serde::Serialize;
use utoipa::ToSchema;

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

    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }
}
