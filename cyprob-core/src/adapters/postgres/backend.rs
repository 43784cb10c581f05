//! PostgreSQL's own way of doing things.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, PgConnection, Row as _};
use uuid::Uuid;

use super::super::sql::{Arg, Backend, Cells, Mode, Scope, Statement, Unreadable, sealed};
use super::open::{Message, Opened, within};
use super::tx::PostgresTx;
use crate::ports::store::StoreError;

/// PostgreSQL as a backend.
#[derive(Clone, Copy, Debug)]
pub enum Postgres {}

impl sealed::Sealed for Postgres {}

/// The arguments of a statement.
pub(super) fn bound(args: &[Arg<'_>]) -> Result<PgArguments, StoreError> {
    let mut bound = PgArguments::default();
    for arg in args {
        match arg {
            Arg::Id(id) => bound.add(id.map(Uuid::from_bytes)),
            Arg::Ids(ids) => bound.add(
                ids.iter()
                    .copied()
                    .map(Uuid::from_bytes)
                    .collect::<Vec<_>>(),
            ),
            Arg::Int(number) => bound.add(*number),
            Arg::Bool(truth) => bound.add(*truth),
            Arg::Text(text) => bound.add(text.as_deref()),
            Arg::Bytes(bytes) => bound.add(bytes.as_deref()),
            Arg::Ints(numbers) => bound.add(numbers.as_slice()),
            Arg::Texts(texts) => bound.add(texts.as_slice()),
            Arg::Blobs(blobs) => bound.add(blobs.as_slice()),
        }
        .map_err(StoreError::unavailable)?;
    }
    Ok(bound)
}

#[async_trait]
impl Backend for Postgres {
    type Connection = PgConnection;
    type Row = PgRow;
    type Opened = Opened;
    type Tx = PostgresTx;

    fn text(statement: &Statement) -> &'static str {
        statement.postgres()
    }

    async fn begin(
        opened: &Arc<Opened>,
        mode: Mode,
        scope: &Scope,
    ) -> Result<PostgresTx, StoreError> {
        let limit = opened.limit(scope);
        let timer = tokio::time::sleep(limit);
        let deadline = timer.deadline();
        let begin = Message::Begin(mode, scope, limit);
        let (connection, _) = within(limit, opened.first(&begin)).await?;
        Ok(PostgresTx::new(connection, deadline, limit))
    }

    async fn fetch(
        opened: &Opened,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Vec<PgRow>, StoreError> {
        let limit = opened.limit(&Scope::none());
        let message = Message::Statement(statement, args);
        let (_connection, rows) = within(limit, opened.first(&message)).await?;
        Ok(rows)
    }

    async fn close(opened: &Opened) {
        opened.close().await;
    }
}

impl sealed::Sealed for PgRow {}

impl Cells for PgRow {
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
        let id: Option<Uuid> = self.try_get(column).map_err(|_| Unreadable)?;
        Ok(id.map(Uuid::into_bytes))
    }
}
