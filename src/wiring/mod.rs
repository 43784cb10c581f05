//! The only place where the sibling crates meet.

mod custody;
mod denials;
mod fenced;
mod jobs;
mod keys;
mod plan_text;
mod roles;
mod stored_plans;
#[cfg(feature = "vault")]
mod transit_keys;

pub use custody::StoredKeys;
pub use keys::{DeploymentKey, DeploymentKeys, KeyError};
#[cfg(feature = "vault")]
pub use transit_keys::TransitKeys;

pub(crate) use denials::OutboxDenials;
pub(crate) use fenced::Fenced;
pub(crate) use jobs::SealedJobs;
pub(crate) use roles::StoredRoles;
