//! Readers of what a host writes.

#[cfg(feature = "yaml")]
mod policy_file;

#[cfg(feature = "yaml")]
pub use policy_file::read_policy;
