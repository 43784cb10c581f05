//! Capability tokens, decisions and the secure router of the cyprob control plane.
//!
//! An access token is a [Biscuit](https://www.biscuitsec.org): facts that the
//! control plane signed, and blocks by which a holder narrowed it. Every token
//! passes a shape firewall before a signature is looked at, so that what is
//! accepted compiles to a bitset and a few narrowings; no Datalog runs on a
//! request. Behind the feature `axum`, a handler's first argument is its policy.
//!
//! The rooms: [`domain`] holds types and the pure decision, [`adapters`] readers of
//! what a host writes, [`ports`] what it may implement, [`service`] tokens, cache, revocations and the request
//! check, `http` the router.

pub mod adapters;
pub mod domain;
#[cfg(feature = "axum")]
pub mod http;
pub mod ports;
pub mod service;
#[cfg(feature = "testkit")]
pub mod testkit;
