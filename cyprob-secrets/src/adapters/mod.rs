//! Sources of secrets: memory, environment, files, and the encrypted local store.

mod blocking;
pub mod env;
pub mod file;
pub mod local;
pub mod memory;
mod private_file;
