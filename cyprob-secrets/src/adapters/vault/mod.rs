//! Secrets in HashiCorp Vault or OpenBao.
//!
//! [`Vault`] is a connection with a token of its own: it logs in, renews the
//! token before its end, logs in again when the token is revoked, and refuses
//! at the start what is not safe ([`VaultRisk`]). [`VaultKv`] reads references
//! through it, [`VaultDatabase`] borrows credentials, [`VaultTransit`] signs.
//!
//! Everything is stated: no environment variable is read, no proxy is taken
//! from the environment, no redirect is followed, and the certificate of the
//! server is always verified. Answers of more than 2 MiB are not read.
//!
//! What the server says decides what becomes of what is in memory:
//!
//! | answer | means | a reader gets |
//! | --- | --- | --- |
//! | 404, also a deleted or destroyed version | withdrawn | nothing |
//! | 403, and the token lives | denied | [`Refused`](crate::ports::SecretError::Refused) |
//! | 403, and the token is dead | log in again, once | what the second answer is |
//! | 412 | the node is behind | asked again, three times |
//! | no answer, 5xx (sealed), 429, no JSON | outage | [`Unavailable`](crate::ports::SecretError::Unavailable), or what is within its bound |

mod address;
mod builder;
mod checkup;
mod connection;
mod database;
mod endpoints;
mod fault;
mod kv;
mod listing;
mod login;
mod making;
mod names;
mod places;
mod reply;
mod risk;
mod session;
mod store;
mod tls;
mod token;
mod transit;
mod transport;
mod versions;
mod writing;

pub use address::{VaultAddress, VaultAddressError};
pub use builder::{Accepting, NoLogin, VaultBuilder};
pub use checkup::{
    SecretIdUse, SelfService, VaultFinding, VaultPart, VaultProblem, VaultRemark, VaultVerdict,
};
pub use connection::{Vault, VaultError, VaultStanding};
pub use database::VaultDatabase;
pub use kv::{KvVersion, VaultKv};
pub use login::{AppRole, Kubernetes, LoginRefusal, SecretId, TokenFile, VaultLogin};
pub use names::{VaultAuthMount, VaultMount, VaultName, VaultNamespace};
pub use risk::VaultRisk;
pub use store::VaultStore;
pub use tls::CertificateError;
pub use transit::{TransitError, TransitKey, TransitRefusal, VaultTransit};
