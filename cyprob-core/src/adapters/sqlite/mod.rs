//! The embedded store: SQLite through sqlx.
//!
//! One connection writes and takes the write lock at BEGIN; several read. Every
//! commit is durable when it returns (WAL, `synchronous = FULL`); refreshes that
//! come at the same time share one. One process
//! holds a database at a time, by a lock file beside it. SQLite has no row
//! security: what keeps tenants apart here is that every tenant statement is
//! bound to `org_id = $1` and takes an [`OrgCtx`](crate::domain::OrgCtx).
//!
//! Other crates' adapters run their statements on [`OrgTx`] and [`SystemTx`], so
//! that their changes and the audit events commit together.

mod backend;
mod migrate;
mod open;
mod store;

pub use backend::{Sqlite, SqliteTx};
pub use open::{OpenError, SqliteOptions};

use super::sql;

/// An open database. Clones share it; the last one that drops lets other processes in.
pub type SqliteStore = sql::SqlStore<Sqlite>;
/// A change of one organization's data and its events, committed together.
pub type OrgTx = sql::OrgTx<Sqlite>;
/// A change across organizations and its events, committed together.
pub type SystemTx = sql::SystemTx<Sqlite>;
/// A consistent read of one organization's data.
pub type OrgRead = sql::OrgRead<Sqlite>;
/// A consistent read across organizations.
pub type SystemRead = sql::SystemRead<Sqlite>;

#[cfg(test)]
mod tests;
