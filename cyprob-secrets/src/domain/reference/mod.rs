//! References to secrets, strict: one accepted spelling per secret.

mod error;
mod grammar;
mod kinds;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use error::{RefFault, RefPart, SecretRefError};
pub(crate) use grammar::{check_text, segments};
#[cfg(feature = "vault")]
pub(crate) use grammar::{plain, word};
pub use kinds::{AwsSmRef, EnvName, FilePath, LocalRef, VaultRef};

/// Where a secret is.
///
/// | form | parts |
/// | --- | --- |
/// | `vault://mount/path#field?version=N` | version optional |
/// | `awssm://name#json-key?stage=AWSCURRENT` | key and stage optional |
/// | `awssm://name#json-key?version=ID` | key optional |
/// | `file:///abs/path` | |
/// | `env://NAME` | |
/// | `local://name?version=N` | version optional |
///
/// At most 1,024 bytes of ASCII. No segment `.` or `..`, no leading, trailing
/// or double slash, no `%`, no capitals in the scheme, no unknown parameter:
/// nothing is normalized, so a text that is accepted *is* the canonical form
/// that `Display` writes (but for a written-out `?stage=AWSCURRENT`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretRef {
    /// A field of a secret in Vault.
    Vault(VaultRef),
    /// A secret of AWS Secrets Manager.
    AwsSm(AwsSmRef),
    /// A file.
    File(FilePath),
    /// An environment variable.
    Env(EnvName),
    /// A secret of our own store.
    Local(LocalRef),
}

/// Which kind of provider serves a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `vault`
    Vault,
    /// `awssm`
    AwsSm,
    /// `file`
    File,
    /// `env`
    Env,
    /// `local`
    Local,
}

impl SecretRef {
    /// The most bytes a reference may have.
    pub const MAX_LEN: usize = 1_024;

    /// Which kind of provider serves it.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Vault(_) => Scheme::Vault,
            Self::AwsSm(_) => Scheme::AwsSm,
            Self::File(_) => Scheme::File,
            Self::Env(_) => Scheme::Env,
            Self::Local(_) => Scheme::Local,
        }
    }

    /// The secret itself, where the reference names a version or a stage of it.
    #[must_use]
    pub fn any_version(&self) -> Option<Self> {
        match self {
            Self::Vault(named) => named.any_version().map(Self::Vault),
            Self::AwsSm(named) => named.any_version().map(Self::AwsSm),
            Self::Local(named) => named.any_version().map(Self::Local),
            Self::File(_) | Self::Env(_) => None,
        }
    }
}

impl FromStr for SecretRef {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        check_text(RefPart::Reference, text, Self::MAX_LEN)?;
        let unknown = SecretRefError::new(RefPart::Scheme, RefFault::UnknownScheme);
        let (scheme, rest) = text.split_once("://").ok_or(unknown)?;
        Ok(match scheme {
            "vault" => Self::Vault(VaultRef::parse(rest)?),
            "awssm" => Self::AwsSm(AwsSmRef::parse(rest)?),
            "file" => Self::File(FilePath::parse(rest)?),
            "env" => Self::Env(EnvName::parse(rest)?),
            "local" => Self::Local(LocalRef::parse(rest)?),
            _ => return Err(unknown),
        })
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vault(r) => r.fmt(f),
            Self::AwsSm(r) => r.fmt(f),
            Self::File(r) => r.fmt(f),
            Self::Env(r) => r.fmt(f),
            Self::Local(r) => r.fmt(f),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vault => "vault",
            Self::AwsSm => "awssm",
            Self::File => "file",
            Self::Env => "env",
            Self::Local => "local",
        })
    }
}
