//! Columns of rows, read into domain types.

use std::fmt;

use super::{Cells, Unreadable};
use crate::domain::{Epoch, Id, Timestamp};
use crate::ports::store::StoreError;

/// What a column can be read as, as the database has it.
pub trait Cell<'r>: Sized {
    /// Reads a column of a row; none if it is null.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if it has another type.
    fn of<R: Cells>(row: &'r R, column: &str) -> Result<Option<Self>, Unreadable>;
}

macro_rules! cells {
    ($($cell:ty = $read:ident $(, $own:ident)?;)+) => {$(
        impl<'r> Cell<'r> for $cell {
            fn of<R: Cells>(row: &'r R, column: &str) -> Result<Option<Self>, Unreadable> {
                let found = row.$read(column)?;
                Ok(found$(.map($own::to_owned))?)
            }
        }
    )+};
}

type Text = str;
type Bytes = [u8];

cells! {
    i64 = int;
    bool = boolean;
    &'r str = text;
    &'r [u8] = bytes;
    [u8; 16] = id;
    String = text, Text;
    Vec<u8> = bytes, Bytes;
}

/// Reads columns of one table's rows; a value that cannot be read names its table and column.
pub struct Columns<'r, R> {
    row: &'r R,
    table: &'static str,
}

impl<R> fmt::Debug for Columns<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Columns").field(&self.table).finish()
    }
}

impl<'r, R: Cells> Columns<'r, R> {
    /// The columns of a row.
    #[must_use]
    pub const fn of(row: &'r R, table: &'static str) -> Self {
        Self { row, table }
    }

    const fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt {
            table: self.table,
            column,
        }
    }

    /// A column that is never null, as the database has it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is null or has another type.
    pub fn get<T: Cell<'r>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.optional(column)?.ok_or(self.corrupt(column))
    }

    /// A column that may be null, as the database has it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it has another type.
    pub fn optional<T: Cell<'r>>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        T::of(self.row, column).map_err(|Unreadable| self.corrupt(column))
    }

    /// A column that is never null, turned into a domain type.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is null, has another type or is refused.
    pub fn read<T: Cell<'r>, U>(
        &self,
        column: &'static str,
        into: impl FnOnce(T) -> Option<U>,
    ) -> Result<U, StoreError> {
        into(self.get(column)?).ok_or(self.corrupt(column))
    }

    /// A column that may be null, turned into a domain type.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it has another type or is refused.
    pub fn read_optional<T: Cell<'r>, U>(
        &self,
        column: &'static str,
        into: impl FnOnce(T) -> Option<U>,
    ) -> Result<Option<U>, StoreError> {
        match self.optional(column)? {
            None => Ok(None),
            Some(value) => into(value).map(Some).ok_or(self.corrupt(column)),
        }
    }

    /// An identifier.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is none.
    pub fn id<I: Id>(&self, column: &'static str) -> Result<I, StoreError> {
        self.read(column, |bytes: [u8; 16]| I::from_slice(&bytes).ok())
    }

    /// An identifier that may be absent.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is there and none.
    pub fn optional_id<I: Id>(&self, column: &'static str) -> Result<Option<I>, StoreError> {
        self.read_optional(column, |bytes: [u8; 16]| I::from_slice(&bytes).ok())
    }

    /// Text that a domain type parses.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it does not.
    pub fn parse<T: std::str::FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.read(column, |text: &str| text.parse().ok())
    }

    /// A time.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is no number.
    pub fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.get::<i64>(column).map(Timestamp::from_micros)
    }

    /// A time that may be absent.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is there and no number.
    pub fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.optional(column)?.map(Timestamp::from_micros))
    }

    /// A number of 32 bits.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is none.
    pub fn u32(&self, column: &'static str) -> Result<u32, StoreError> {
        self.read(column, |number: i64| u32::try_from(number).ok())
    }

    /// An epoch.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is none.
    pub fn epoch(&self, column: &'static str) -> Result<Epoch, StoreError> {
        self.u32(column).map(Epoch::new)
    }
}
