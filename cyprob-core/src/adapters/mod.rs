//! Implementations of the ports that ship with the crate, each behind its feature.

#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "system")]
pub mod system;
