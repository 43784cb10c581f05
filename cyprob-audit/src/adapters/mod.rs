//! Implementations of the ports.

pub mod directory;
pub mod jsonl;
pub mod memory;
#[cfg(feature = "sqlite")]
pub mod sqlite;
