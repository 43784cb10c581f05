//! A security control plane that a Rust application embeds.
//!
//! [`Embedded`] opens everything in one directory; [`ControlPlane::builder`]
//! composes a control plane from stores and keys of the host's own;
//! [`http`] is its API as a router that the host serves.

/// The quick start of the README, compiled.
#[cfg(all(doctest, feature = "axum", feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod audit_log;
mod background;
mod builder;
mod control_plane;
#[cfg(feature = "sqlite")]
mod embedded;
mod error_chain;
#[cfg(feature = "axum")]
pub mod http;
mod plugin_runs;
mod stores;
mod wiring;
mod worker;

pub use background::{Background, StartError};
pub use builder::{BuildError, CheckMode, ControlPlaneBuilder, NeedsKeys, NeedsStore, Ready};
pub use control_plane::ControlPlane;
#[cfg(feature = "sqlite")]
pub use embedded::{Embedded, EmbeddedError};
pub use error_chain::error_chain;
pub use stores::Stores;
pub use wiring::{DeploymentKey, DeploymentKeys, KeyError};
pub use worker::run_worker;

pub use cyprob_audit as audit;
pub use cyprob_authz as authz;
pub use cyprob_core as core;
pub use cyprob_plugins as plugins;
pub use cyprob_secrets as secrets;
