//! Sources of secrets: memory, environment, files, the encrypted local store, Vault and AWS.

#[cfg(feature = "aws")]
pub mod aws;
mod blocking;
pub mod env;
pub mod file;
#[cfg(any(feature = "aws", feature = "vault"))]
pub mod finding;
pub mod grants;
#[cfg(any(feature = "aws", feature = "vault"))]
mod json_field;
pub mod local;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
mod private_file;
#[cfg(feature = "vault")]
pub mod vault;
