//! The embedded store: SQLite through sqlx.
//!
//! One connection writes and takes the write lock at BEGIN; several read. Every
//! commit is durable when it returns (WAL, `synchronous = FULL`). One process
//! holds a database at a time, by a lock file beside it. SQLite has no row
//! security: what keeps tenants apart here is that every tenant statement is
//! bound to `org_id = $1` and takes an [`OrgCtx`](crate::domain::OrgCtx).
//!
//! Other crates' adapters run their statements on [`OrgTx`] and [`SystemTx`], so
//! that their changes and the audit events commit together.

mod bootstrap;
mod grants;
mod invitations;
mod members;
mod migrate;
mod open;
mod orgs;
mod outbox;
mod read;
mod revocations;
mod row;
mod sessions;
mod sql;
mod store;
mod tx;
mod users;

pub use open::{OpenError, SqliteOptions};
pub use read::{OrgRead, SystemRead};
pub use row::Columns;
pub use store::SqliteStore;
pub use tx::{OrgTx, SystemTx, WrongLog};

#[cfg(test)]
mod tests;
