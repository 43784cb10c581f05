//! The only place where the sibling crates meet.

mod denials;
mod jobs;
mod keys;
mod outbox_log;
mod rings;

pub use keys::{DeploymentKey, DeploymentKeys, KeyError};

pub(crate) use denials::OutboxDenials;
pub(crate) use jobs::SealedJobs;
pub(crate) use outbox_log::OutboxLog;
pub(crate) use rings::{ring, signing_key};
