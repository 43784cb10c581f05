//! Secrets of the cyprob control plane: their sources, a cache, leases, an encrypted local store.
//!
//! A secret is named by a [`SecretRef`](domain::SecretRef), which has one
//! spelling per secret, and read through a [`SecretProvider`](ports::SecretProvider)
//! as a [`SecretValue`](domain::SecretValue), which never prints itself. The
//! crate refuses what it cannot vouch for: a readable-by-others file, a
//! symbolic link, a flipped bit. It never falls back to a weaker source.
//!
//! [`SecretReader`](service::SecretReader) keeps what was read fresh in memory;
//! [`LeaseKeeper`](service::LeaseKeeper) keeps credentials that are lent. Sources: memory,
//! environment, files and the local store; Vault or OpenBao with the feature `vault`, AWS Secrets
//! Manager with `aws`; `postgres` feeds a live pool with leased credentials.
//!
//! ```
//! use cyprob_secrets::domain::SecretRef;
//!
//! let reference: SecretRef = "local://signing/root?version=2".parse().unwrap();
//! assert_eq!(reference.to_string(), "local://signing/root?version=2");
//! assert!("vault://kv/../other#key".parse::<SecretRef>().is_err());
//! ```

pub mod adapters;
pub mod domain;
pub mod ports;
pub mod service;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
