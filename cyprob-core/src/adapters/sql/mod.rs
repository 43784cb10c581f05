//! What the stores in SQL databases share: nearly everything.
//!
//! The statements, the rows and the steps are the same for both databases and
//! stand here once. What differs is small and named: how a database is opened
//! and a transaction begun (a [`Backend`]), and the few statements whose text
//! is another one (a [`Statement`] of two texts).
//!
//! Other crates' adapters run their statements on [`OrgTx`] and [`SystemTx`], so
//! that their changes and the audit events commit together.

mod accesses;
mod accounts;
mod arg;
mod backend;
mod bootstrap;
mod columns;
mod emails;
mod failures;
mod grants;
mod invitations;
mod members;
mod notices;
mod opening;
mod orgs;
mod outbox;
mod read;
mod resets;
mod reviews;
pub(super) mod revocations;
mod roles;
mod scope;
mod second_factors;
mod service_accounts;
mod service_keys;
mod sessions;
mod spent;
#[allow(clippy::module_inception, reason = "it holds the SQL")]
pub(super) mod sql;
mod statement;
mod steps;
mod store;
mod together;
mod tx;
mod users;

pub use arg::Arg;
pub use backend::{Backend, Cells, Mode, Transaction, Unreadable};
pub use columns::{Cell, Columns};
pub use read::{OrgRead, SystemRead};
pub use scope::Scope;
pub use statement::Statement;
pub use store::SqlStore;
pub use tx::{OrgTx, SystemTx, WrongLog};

pub(super) use backend::sealed;
