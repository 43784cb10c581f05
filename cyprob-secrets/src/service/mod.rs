//! Reading a secret wherever it is, keeping it fresh, and keeping what is lent.

mod leases;
mod org_secrets;
mod reader;
mod resolver;

pub use leases::{LeaseKeeper, LeaseStanding};
pub use org_secrets::{OrgSecret, OrgSecretError, OrgSecretLimits, OrgSecrets, OrgSecretsParts};
pub use reader::{Freshness, SecretReader, Served};
pub use resolver::{DuplicateScheme, SecretResolver};
