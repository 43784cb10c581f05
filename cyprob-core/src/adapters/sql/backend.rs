//! What one database does in its own way.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Arg, Scope, Statement};
use crate::ports::store::StoreError;

pub(in crate::adapters) mod sealed {
    pub trait Sealed {}
}

/// Whether a transaction may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It only reads, and sees one state of the database.
    Read,
    /// It may write.
    Write,
}

/// A column has another type than was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Unreadable;

/// The columns of one row, by name; sealed.
pub trait Cells: sealed::Sealed + Send + Sync + 'static {
    /// A number.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], as from the others.
    fn int(&self, column: &str) -> Result<Option<i64>, Unreadable>;

    /// A truth.
    ///
    /// # Errors
    ///
    /// [`Unreadable`].
    fn boolean(&self, column: &str) -> Result<Option<bool>, Unreadable>;

    /// A text.
    ///
    /// # Errors
    ///
    /// [`Unreadable`].
    fn text(&self, column: &str) -> Result<Option<&str>, Unreadable>;

    /// Bytes.
    ///
    /// # Errors
    ///
    /// [`Unreadable`].
    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Unreadable>;

    /// The bytes of an identifier.
    ///
    /// # Errors
    ///
    /// [`Unreadable`].
    fn id(&self, column: &str) -> Result<Option<[u8; 16]>, Unreadable>;
}

/// A database; sealed.
#[async_trait]
pub trait Backend: sealed::Sealed + Debug + Sized + Send + Sync + 'static {
    /// A connection, for the statements of a host's own adapters.
    type Connection: Send;
    /// A row.
    type Row: Cells;
    /// What is open.
    type Opened: Send + Sync + 'static;
    /// A transaction.
    type Tx: Transaction<Self>;

    /// The statement in this database's words.
    fn text(statement: &Statement) -> &'static str;

    /// Begins a transaction that is bound to a scope from its first statement on.
    async fn begin(
        opened: &Arc<Self::Opened>,
        mode: Mode,
        scope: &Scope,
    ) -> Result<Self::Tx, StoreError>;

    /// Runs one statement that is a transaction by itself: of organizations' data it sees nothing
    /// but what it binds itself to. Where its answer is lost it may be sent again.
    async fn fetch(
        opened: &Self::Opened,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Vec<Self::Row>, StoreError>;

    /// Waits for what is under way and closes everything.
    async fn close(opened: &Self::Opened);
}

/// An open transaction; dropping it takes everything back; sealed.
#[async_trait]
pub trait Transaction<B: Backend>: sealed::Sealed + Send + 'static {
    /// The connection it is open on.
    fn connection(&mut self) -> &mut B::Connection;

    /// Binds what follows to another scope.
    async fn rescope(&mut self, scope: &Scope) -> Result<(), StoreError>;

    /// Runs a statement; returns how many rows it changed.
    async fn execute(&mut self, statement: &Statement, args: &[Arg<'_>])
    -> Result<u64, StoreError>;

    /// Runs a statement and returns its rows.
    async fn fetch(
        &mut self,
        statement: &Statement,
        args: &[Arg<'_>],
    ) -> Result<Vec<B::Row>, StoreError>;

    /// Makes everything durable.
    async fn commit(self) -> Result<(), StoreError>;
}
