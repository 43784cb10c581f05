//! Readers of what a host writes, and keys in this process.

mod memory_keys;
#[cfg(feature = "yaml")]
mod policy_file;
mod signing_key;

pub use memory_keys::MemoryKeys;
#[cfg(feature = "yaml")]
pub use policy_file::{read_policy, written_roles};
pub use signing_key::SigningKey;
