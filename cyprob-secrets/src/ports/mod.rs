//! What a source of secrets must do.

mod access;
mod dynamic;
mod error;
mod provider;
mod store;

pub use access::SecretAccess;
pub use dynamic::{DynamicCredentials, LeaseError, LeaseRefusal};
pub use error::{BoxError, Damage, Refusal, Sealed, SecretError};
pub use provider::{Secret, SecretProvider};
pub use store::{Expected, Listed, PutOutcome, SecretStore};
