//! Columns of rows, read into domain types.

use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};

use crate::domain::{Epoch, Id, Timestamp};
use crate::ports::store::StoreError;

/// Reads columns of one table's rows; a value that cannot be read names its table and column.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'r> {
    row: &'r SqliteRow,
    table: &'static str,
}

impl<'r> Columns<'r> {
    /// The columns of a row.
    #[must_use]
    pub const fn of(row: &'r SqliteRow, table: &'static str) -> Self {
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
    pub fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        self.optional(column)?.ok_or(self.corrupt(column))
    }

    /// A column that may be null, as the database has it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it has another type.
    pub fn optional<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        // Asked for a number that is null, sqlx answers 0: only through `Option` is null seen.
        self.row.try_get(column).map_err(|_| self.corrupt(column))
    }

    /// A column that is never null, turned into a domain type.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is null, has another type or is refused.
    pub fn read<T, U>(
        &self,
        column: &'static str,
        into: impl FnOnce(T) -> Option<U>,
    ) -> Result<U, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        into(self.get(column)?).ok_or(self.corrupt(column))
    }

    /// A column that may be null, turned into a domain type.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it has another type or is refused.
    pub fn read_optional<T, U>(
        &self,
        column: &'static str,
        into: impl FnOnce(T) -> Option<U>,
    ) -> Result<Option<U>, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
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
        self.read(column, |bytes: &[u8]| I::from_slice(bytes).ok())
    }

    /// An identifier that may be absent.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is there and none.
    pub fn optional_id<I: Id>(&self, column: &'static str) -> Result<Option<I>, StoreError> {
        self.read_optional(column, |bytes: &[u8]| I::from_slice(bytes).ok())
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

    pub(super) fn epoch(&self, column: &'static str) -> Result<Epoch, StoreError> {
        self.u32(column).map(Epoch::new)
    }
}
