//! Implementations of the ports.

pub mod directory;
pub mod memory;
#[cfg(feature = "sqlite")]
pub mod sqlite;
