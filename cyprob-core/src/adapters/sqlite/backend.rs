//! SQLite's own way of doing things.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, Row as _, SqliteConnection};

use super::super::sql::{
    Arg, Backend, Cells, Mode, Scope, Statement, Transaction, Unreadable, sealed,
};
use super::open::Opened;
use crate::ports::store::StoreError;

/// SQLite as a backend.
#[derive(Clone, Copy, Debug)]
pub enum Sqlite {}

impl sealed::Sealed for Sqlite {}

/// A transaction of SQLite's.
pub struct SqliteTx {
    tx: sqlx::Transaction<'static, sqlx::Sqlite>,
    /// Keeps other processes out as long as the transaction is open.
    _opened: Arc<Opened>,
}

impl sealed::Sealed for SqliteTx {}

impl fmt::Debug for SqliteTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteTx")
    }
}

/// How many values are bound at once.
fn json(values: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(values).map_err(StoreError::unavailable)
}

fn bound(args: &[Arg<'_>]) -> Result<SqliteArguments, StoreError> {
    let mut bound = SqliteArguments::default();
    for arg in args {
        match arg {
            Arg::Id(id) => bound.add(id.map(|id| id.to_vec())),
            Arg::Ids(ids) => {
                let digits: Vec<_> = ids.iter().map(hex::encode).collect();
                bound.add(json(&digits)?)
            }
            Arg::Int(number) => bound.add(*number),
            Arg::Bool(truth) => bound.add(*truth),
            Arg::Text(text) => bound.add(text.as_deref().map(str::to_owned)),
            Arg::Bytes(bytes) => bound.add(bytes.as_deref().map(<[u8]>::to_vec)),
            Arg::Ints(numbers) => bound.add(json(numbers)?),
            Arg::Texts(texts) => bound.add(json(texts)?),
            Arg::Blobs(blobs) => {
                let digits: Vec<_> = blobs.iter().map(|it| it.map(hex::encode)).collect();
                bound.add(json(&digits)?)
            }
        }
        .map_err(StoreError::unavailable)?;
    }
    Ok(bound)
}

#[async_trait]
impl Backend for Sqlite {
    type Connection = SqliteConnection;
    type Row = SqliteRow;
    type Opened = Opened;
    type Tx = SqliteTx;

    fn text(statement: &Statement) -> &'static str {
        statement.sqlite()
    }

    async fn begin(
        opened: &Arc<Opened>,
        mode: Mode,
        _scope: &Scope,
    ) -> Result<SqliteTx, StoreError> {
        let tx = match mode {
            Mode::Read => opened.reader.begin().await,
            // The write lock is taken at once, so a lock error becomes a wait.
            Mode::Write => opened.writer.begin_with("BEGIN IMMEDIATE").await,
        };
        Ok(SqliteTx {
            tx: tx.map_err(StoreError::unavailable)?,
            _opened: Arc::clone(opened),
        })
    }

    async fn fetch(
        opened: &Opened,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Vec<SqliteRow>, StoreError> {
        sqlx::query_with(statement.sqlite(), bound(args)?)
            .fetch_all(&opened.reader)
            .await
            .map_err(StoreError::unavailable)
    }

    async fn close(opened: &Opened) {
        opened.reader.close().await;
        opened.writer.close().await;
    }
}

#[async_trait]
impl Transaction<Sqlite> for SqliteTx {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    /// SQLite has no row security: the statements' own `org_id = $1` is what binds.
    async fn rescope(&mut self, _scope: &Scope) -> Result<(), StoreError> {
        Ok(())
    }

    async fn execute(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<u64, StoreError> {
        let done = sqlx::query_with(statement.sqlite(), bound(args)?)
            .execute(&mut *self.tx)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(done.rows_affected())
    }

    async fn fetch(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Vec<SqliteRow>, StoreError> {
        sqlx::query_with(statement.sqlite(), bound(args)?)
            .fetch_all(&mut *self.tx)
            .await
            .map_err(StoreError::unavailable)
    }

    async fn commit(self) -> Result<(), StoreError> {
        self.tx.commit().await.map_err(StoreError::unavailable)
    }
}

impl sealed::Sealed for SqliteRow {}

// Asked for a number that is null, sqlx answers 0: only through `Option` is null seen.
impl Cells for SqliteRow {
    fn int(&self, column: &str) -> Result<Option<i64>, Unreadable> {
        self.try_get(column).map_err(|_| Unreadable)
    }

    fn boolean(&self, column: &str) -> Result<Option<bool>, Unreadable> {
        self.try_get(column).map_err(|_| Unreadable)
    }

    fn text(&self, column: &str) -> Result<Option<&str>, Unreadable> {
        self.try_get(column).map_err(|_| Unreadable)
    }

    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Unreadable> {
        self.try_get(column).map_err(|_| Unreadable)
    }

    fn id(&self, column: &str) -> Result<Option<[u8; 16]>, Unreadable> {
        let bytes = self.bytes(column)?;
        bytes
            .map(|bytes| bytes.try_into().map_err(|_| Unreadable))
            .transpose()
    }
}
