//! The tamper-evident audit log of the cyprob control plane.
//!
//! A log is an RFC 6962 Merkle tree of canonical events, its head signed as a
//! C2SP checkpoint, its hashes and entries laid out as C2SP tiles, so that
//! anyone can verify it with tools that are not ours. The crate is built in
//! rooms, in the order data flows: [`domain`] holds the tree, the formats and
//! the leaf, all pure; [`ports`] the traits a host may implement; [`service`]
//! the use cases; [`adapters`] the implementations that ship with the crate.

pub mod adapters;
pub mod domain;
pub mod ports;
pub mod service;
#[cfg(feature = "testkit")]
pub mod testkit;
