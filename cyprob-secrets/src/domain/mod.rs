//! Names, references and values of secrets; no I/O.

mod keeping;
mod master_key;
mod name;
mod org_path;
mod reference;
mod source_version;
mod value;
mod version;

pub use keeping::{Keeping, KeepingError};
pub use master_key::{MasterKey, MasterKeyError};
pub use name::SecretName;
pub use org_path::{OrgSecretBase, OrgSecretPath};
pub use reference::{
    AwsSmRef, EnvName, FilePath, LocalRef, RefFault, RefPart, Scheme, SecretRef, SecretRefError,
    VaultRef,
};
pub use source_version::{SourceVersion, VersionId};
pub use value::{NotText, SecretValue, SecretValueError};
pub use version::SecretVersion;
