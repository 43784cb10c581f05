//! The store of placed entries in SQLite, beside core's outbox and in its transactions.

mod log_reads;
mod log_store;
mod sql;
mod subject_keys;
#[cfg(test)]
mod tests;
mod wrap;

pub use log_store::SqliteLogStore;
pub use subject_keys::SqliteSubjectKeys;
