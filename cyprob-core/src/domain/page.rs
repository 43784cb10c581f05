//! Pages of lists.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How much of a list is asked for, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    limit: u8,
    after: Option<Cursor>,
}

impl PageRequest {
    /// Most items a page can have.
    pub const MAX: u8 = 100;
    /// Items of a page when nothing is said.
    pub const DEFAULT: u8 = 50;

    /// A page of 1 to 100 items (others are clamped) after a cursor, or from the start.
    #[must_use]
    pub fn new(limit: u8, after: Option<Cursor>) -> Self {
        Self {
            limit: limit.clamp(1, Self::MAX),
            after,
        }
    }

    /// As many items after this cursor.
    #[must_use]
    pub fn following(&self, after: Cursor) -> Self {
        Self {
            limit: self.limit,
            after: Some(after),
        }
    }

    /// How many items at most.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit as usize
    }

    /// The sort key after which the page starts.
    #[must_use]
    pub fn after(&self) -> Option<&[u8]> {
        self.after.as_ref().map(|cursor| cursor.0.as_slice())
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: Self::DEFAULT,
            after: None,
        }
    }
}

/// A page of a list and the cursor of the one that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page starts; none at the end.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts a page out of up to `limit + 1` items in list order.
    #[must_use]
    pub fn cut(mut items: Vec<T>, request: &PageRequest, key: impl Fn(&T) -> Vec<u8>) -> Self {
        let more = items.len() > request.limit();
        items.truncate(request.limit());
        let next = if more {
            items.last().map(|last| Cursor(key(last)))
        } else {
            None
        };
        Self { items, next }
    }

    /// The same page of other items.
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
        }
    }
}

/// An opaque place in a list: the sort key of the last item seen, at most 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(Vec<u8>);

/// The text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that this list gave out")]
pub struct CursorError;

impl Cursor {
    /// The cursor after the item with this sort key.
    #[must_use]
    pub fn new(key: Vec<u8>) -> Self {
        Self(key)
    }

    /// The sort key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        if text.is_empty() || text.len() > 86 {
            return Err(CursorError);
        }
        URL_SAFE_NO_PAD
            .decode(text)
            .map(Self)
            .map_err(|_| CursorError)
    }
}
