//! Reading a secret wherever it is, keeping it fresh, and keeping what is lent.

mod guard;
mod leases;
mod org_secrets;
mod reader;
mod resolver;
mod watch;

pub use guard::{GuardError, ReadTrail, SecretGuard};
pub use leases::{LeaseKeeper, LeaseStanding};
pub use org_secrets::{OrgSecret, OrgSecretError, OrgSecretLimits, OrgSecrets, OrgSecretsParts};
pub use reader::{Freshness, SecretReader, Served};
pub use resolver::{DuplicateScheme, SecretResolver};
pub use watch::{Rotation, RotationWatch};
