//! A security control plane that a Rust application embeds.
//!
//! [`Embedded`] opens everything in one directory; `Clustered` is a node on
//! PostgreSQL, of which there may be many; [`ControlPlane::builder`]
//! composes a control plane from stores and keys of the host's own;
//! [`http`] is its API as a router that the host serves.

/// The quick start of the README, compiled.
#[cfg(all(doctest, feature = "axum", feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod audit_log;
mod background;
mod builder;
mod check_mode;
#[cfg(feature = "postgres")]
mod clustered;
mod control_plane;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod directory;
#[cfg(feature = "sqlite")]
mod embedded;
mod error_chain;
#[cfg(feature = "axum")]
pub mod http;
mod keys;
mod leading;
mod operator_journal;
mod org_secrets;
mod plugin_runs;
mod post;
mod stores;
mod who_can;
mod wiring;
mod worker;

pub use background::{Background, StartError};
pub use builder::{BuildError, ControlPlaneBuilder, NeedsKeys, NeedsStore, OrgSecretStore, Ready};
pub use check_mode::CheckMode;
#[cfg(feature = "postgres")]
pub use clustered::{Clustered, ClusteredError, Roles};
pub use control_plane::ControlPlane;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use directory::{DirectoryError, is_deployment_key, local_secrets, token_keys};
#[cfg(feature = "sqlite")]
pub use embedded::{Embedded, EmbeddedError};
pub use error_chain::error_chain;
pub use operator_journal::OperatorJournal;
pub use stores::Stores;
pub use who_can::Holder;
#[cfg(feature = "vault")]
pub use wiring::TransitKeys;
pub use wiring::{DeploymentKey, DeploymentKeys, KeyError, StoredKeys};
pub use worker::run_worker;

pub use cyprob_audit as audit;
pub use cyprob_authz as authz;
pub use cyprob_core as core;
pub use cyprob_plugins as plugins;
pub use cyprob_secrets as secrets;
