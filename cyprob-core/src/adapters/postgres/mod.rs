//! The store of many nodes: PostgreSQL through sqlx.
//!
//! Three roles share the work. The owner makes and migrates the tables, in a
//! schema of their own, and is used for nothing else. The runtime role reads and
//! writes rows and is held to row level security: a transaction says for which
//! organization it is, in the same message as its BEGIN, and without one the
//! rows of organizations do not exist for it. The auditor role reads.
//! [`PostgresStore::open`] refuses a database in which that does not hold.
//!
//! No operation outlasts its time: a server that is gone, hangs or has no free
//! connection is an error within [`PostgresOptions::with_wait`], and the next
//! operation tries anew.
//!
//! Statements are planned once (`plan_cache_mode` is `force_generic_plan`), a
//! host's own on [`OrgTx`] too: one whose plan depends on its values sets it
//! otherwise by `SET LOCAL`.

mod backend;
mod begin;
mod feed;
mod isolation;
mod leadership;
mod migrate;
mod open;
mod options;
mod pool;
mod store;
mod tables;
mod tx;

pub use backend::Postgres;
pub use feed::PostgresFeed;
pub use isolation::{Fault, IsolationError, Table};
pub use leadership::PostgresLeadership;
pub use migrate::{Component, Migrated, Migrations};
pub use open::Opened;
pub use options::{OpenError, PostgresOptions};
pub use tx::PostgresTx;

use super::sql;

/// An open database. Clones share its connections.
pub type PostgresStore = sql::SqlStore<Postgres>;
/// A change of one organization's data and its events, committed together.
pub type OrgTx = sql::OrgTx<Postgres>;
/// A change across organizations and its events, committed together.
pub type SystemTx = sql::SystemTx<Postgres>;
/// A consistent read of one organization's data.
pub type OrgRead = sql::OrgRead<Postgres>;
/// A consistent read across organizations.
pub type SystemRead = sql::SystemRead<Postgres>;
