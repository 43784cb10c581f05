//! The store of placed entries in an SQL database, beside core's outbox and in its transactions.

mod log_reads;
mod log_store;
#[allow(clippy::module_inception, reason = "it holds the SQL")]
mod sql;
mod subject_keys;
mod wrap;

pub use log_store::SqlLogStore;
pub use subject_keys::SqlSubjectKeys;
