//! Identity, sessions and tenancy of the cyprob control plane.
//!
//! The crate is built in rooms, in the order data flows: [`domain`] holds types
//! and pure rules, [`ports`] the traits a host may implement, [`service`] the
//! use cases, [`adapters`] the implementations that ship with the crate. It
//! opens no socket, reads no clock and draws no randomness of its own: both are
//! ports. It knows nothing of access tokens, HTTP or the audit log's form.

pub mod adapters;
pub mod domain;
pub mod ports;
pub mod service;
#[cfg(feature = "testkit")]
pub mod testkit;
