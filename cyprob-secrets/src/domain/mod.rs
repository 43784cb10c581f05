//! Names, references and values of secrets; no I/O.

mod backoff;
mod credentials;
mod drawing;
mod keeping;
mod lease;
mod master_key;
mod name;
mod org_path;
mod reference;
mod source_version;
mod value;
mod version;

pub(crate) use backoff::Backoff;
pub use credentials::{Credentials, LeaseId, Lent};
pub use drawing::{Alphabet, Drawing};
pub use keeping::{Keeping, KeepingError};
pub use lease::Lease;
pub use master_key::{MasterKey, MasterKeyError};
pub use name::SecretName;
pub use org_path::{OrgSecretBase, OrgSecretPath};
pub use reference::{
    AwsSmRef, EnvName, FilePath, LocalRef, RefFault, RefPart, Scheme, SecretRef, SecretRefError,
    VaultRef,
};
#[cfg(feature = "vault")]
pub(crate) use reference::{plain, segments, word};
pub use source_version::{SourceVersion, VersionId};
pub use value::{NotText, SecretValue, SecretValueError};
pub use version::SecretVersion;
