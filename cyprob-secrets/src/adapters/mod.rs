//! Sources of secrets: memory, environment, files, and the encrypted local store.

mod blocking;
pub mod env;
pub mod file;
#[cfg(feature = "vault")]
mod json_field;
pub mod local;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
mod private_file;
#[cfg(feature = "vault")]
pub mod vault;
