//! The only place where the sibling crates meet.

mod denials;
mod fenced;
mod jobs;
mod keys;
mod rings;
mod roles;

pub use keys::{DeploymentKey, DeploymentKeys, KeyError};

pub(crate) use denials::OutboxDenials;
pub(crate) use fenced::Fenced;
pub(crate) use jobs::SealedJobs;
pub(crate) use rings::{ring, signing_key};
pub(crate) use roles::StoredRoles;
