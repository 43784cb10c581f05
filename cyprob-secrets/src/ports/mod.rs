//! What a source of secrets must do.

mod dynamic;
mod error;
mod provider;
mod store;

pub use dynamic::{DynamicCredentials, LeaseError, LeaseRefusal};
pub use error::{BoxError, Damage, Refusal, Sealed, SecretError};
pub use provider::{Secret, SecretProvider};
pub use store::{Expected, Listed, PutOutcome, SecretStore};
