//! Reading a secret wherever it is.

mod resolver;

pub use resolver::{DuplicateScheme, SecretResolver};
