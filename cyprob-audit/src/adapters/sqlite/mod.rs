//! The store of placed entries in SQLite, beside core's outbox and in its transactions.

mod log_store;
mod sql;
#[cfg(test)]
mod tests;

pub use log_store::SqliteLogStore;
