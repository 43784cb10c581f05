//! A security control plane that a Rust application embeds.

pub use cyprob_audit as audit;
pub use cyprob_authz as authz;
pub use cyprob_core as core;
pub use cyprob_plugins as plugins;
pub use cyprob_secrets as secrets;
