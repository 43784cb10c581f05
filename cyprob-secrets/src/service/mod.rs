//! Reading a secret wherever it is, and keeping it fresh.

mod reader;
mod resolver;

pub use reader::{Freshness, SecretReader, Served};
pub use resolver::{DuplicateScheme, SecretResolver};
