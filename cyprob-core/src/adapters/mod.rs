//! Implementations of the ports that ship with the crate, each behind its feature.

#[cfg(feature = "argon2")]
pub mod argon2;
#[cfg(feature = "breach-file")]
pub mod breach_file;
#[cfg(feature = "yaml")]
pub mod document;
pub mod memory;
pub mod notifier;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "system")]
pub mod system;
