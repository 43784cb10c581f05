//! Values on their way into a statement.

use std::borrow::Cow;

use crate::domain::{Epoch, Id, PageRequest, PasswordHash, RefreshKeyId, Timestamp};

/// One value that a placeholder is bound to.
///
/// A null has a type, since PostgreSQL wants to know it. There is no `Debug`:
/// values may be secret.
#[derive(Clone)]
pub enum Arg<'a> {
    /// An identifier: 16 bytes in SQLite, a `UUID` in PostgreSQL.
    Id(Option<[u8; 16]>),
    /// Many identifiers: a JSON array of hex digits in SQLite, `UUID[]` in PostgreSQL.
    Ids(Vec<[u8; 16]>),
    /// A number, a time in microseconds or an epoch: `INTEGER`, `BIGINT`.
    Int(Option<i64>),
    /// A truth: `INTEGER` 0 or 1, `BOOLEAN`.
    Bool(bool),
    /// Text: `TEXT`.
    Text(Option<Cow<'a, str>>),
    /// Bytes: `BLOB`, `BYTEA`.
    Bytes(Option<Cow<'a, [u8]>>),
    /// Many numbers: a JSON array in SQLite, `BIGINT[]` in PostgreSQL.
    Ints(Vec<Option<i64>>),
    /// Many texts: a JSON array in SQLite, `TEXT[]` in PostgreSQL.
    Texts(Vec<Option<&'a str>>),
    /// Many byte strings: a JSON array of hex digits in SQLite, `BYTEA[]` in PostgreSQL.
    Blobs(Vec<Option<&'a [u8]>>),
}

impl<'a> Arg<'a> {
    /// Bytes as they are.
    #[must_use]
    pub const fn bytes(bytes: &'a [u8]) -> Self {
        Self::Bytes(Some(Cow::Borrowed(bytes)))
    }

    /// Bytes that may be absent.
    #[must_use]
    pub fn optional_bytes(bytes: Option<&'a [u8]>) -> Self {
        Self::Bytes(bytes.map(Cow::Borrowed))
    }

    /// The identifier that a page in the order of identifiers begins after.
    ///
    /// A cursor is bytes that a client sent: it is cut or filled with zeros to
    /// the length of an identifier, which keeps the order.
    #[must_use]
    pub fn after(page: &PageRequest) -> Self {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(page.after().unwrap_or_default()) {
            *to = *from;
        }
        Self::Id(Some(id))
    }

    /// The text that a page in the order of texts begins after.
    ///
    /// A cursor is bytes that a client sent. PostgreSQL takes no text with a
    /// zero in it, so it ends there: no text lies between the two.
    #[must_use]
    pub fn after_text(page: &PageRequest) -> Self {
        let bytes = page.after().unwrap_or_default();
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(text).into_owned().into()
    }

    /// One more than the page holds, which tells whether there is a next one.
    #[must_use]
    pub fn limit(page: &PageRequest) -> Self {
        Self::count(page.limit().saturating_add(1))
    }

    /// A count or a limit.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Int(Some(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// Many identifiers.
    pub fn ids<I: Id>(ids: impl IntoIterator<Item = I>) -> Self {
        Self::Ids(ids.into_iter().map(|id| id.to_bytes()).collect())
    }
}

impl<I: Id> From<I> for Arg<'_> {
    fn from(id: I) -> Self {
        Self::Id(Some(id.to_bytes()))
    }
}

impl<I: Id> From<Option<I>> for Arg<'_> {
    fn from(id: Option<I>) -> Self {
        Self::Id(id.map(|id| id.to_bytes()))
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl From<String> for Arg<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

macro_rules! from {
    ($($kind:ident($from:ty) $value:ident => $into:expr;)+) => {$(
        impl<'a> From<$from> for Arg<'a> {
            fn from($value: $from) -> Self {
                Self::$kind($into)
            }
        }
    )+};
}

from! {
    Text(Option<&'a str>) text => text.map(Cow::Borrowed);
    Text(Option<String>) text => text.map(Cow::Owned);
    Text(&'a PasswordHash) hash => Some(Cow::Borrowed(hash.expose_phc()));
    Bytes(Vec<u8>) bytes => Some(Cow::Owned(bytes));
    Bool(bool) truth => truth;
    Int(i64) number => Some(number);
    Int(u32) number => Some(number.into());
    Int(u8) number => Some(number.into());
    Int(Option<i64>) number => number;
    Int(Option<u32>) number => number.map(i64::from);
    Int(Timestamp) time => Some(time.as_micros());
    Int(Option<Timestamp>) time => time.map(|time| time.as_micros());
    Int(Epoch) epoch => Some(epoch.get().into());
    Int(Option<Epoch>) epoch => epoch.map(|epoch| epoch.get().into());
    Int(RefreshKeyId) key => Some(key.get().into());
    Int(Option<RefreshKeyId>) key => key.map(|key| key.get().into());
}
