//! The five kinds of references.

use std::fmt;

use super::grammar::{Pieces, plain, segments, word};
use super::{RefFault, RefPart, SecretRefError};
use crate::domain::{SecretName, SecretVersion, VersionId};

/// A field of a secret in a Vault KV engine: `vault://mount/path#field?version=N`.
///
/// The mount is one segment, so it cannot reach into a namespace; the
/// namespace belongs to the provider's own configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VaultRef {
    mount: String,
    path: String,
    field: String,
    version: Option<SecretVersion>,
}

impl VaultRef {
    pub(super) fn parse(rest: &str) -> Result<Self, SecretRefError> {
        let pieces = Pieces::cut(rest)?;
        let (mount, path) = pieces.path.split_once('/').unwrap_or((pieces.path, ""));
        let field = pieces.field.unwrap_or("");
        Ok(Self {
            mount: word(RefPart::Mount, mount, plain)?.to_owned(),
            path: segments(RefPart::Path, path, plain)?.to_owned(),
            field: word(RefPart::Field, field, plain)?.to_owned(),
            version: pieces.parameter("version")?.map(str::parse).transpose()?,
        })
    }

    /// The mount of the KV engine, one segment.
    #[must_use]
    pub fn mount(&self) -> &str {
        &self.mount
    }

    /// The path below the mount.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The key in the secret's map.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The version; `None` is the newest.
    #[must_use]
    pub fn version(&self) -> Option<SecretVersion> {
        self.version
    }

    pub(super) fn any_version(&self) -> Option<Self> {
        self.version.map(|_| Self {
            version: None,
            ..self.clone()
        })
    }
}

impl fmt::Display for VaultRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vault://{}/{}#{}", self.mount, self.path, self.field)?;
        version_suffix(self.version, f)
    }
}

/// A secret of AWS Secrets Manager: `awssm://name#json-key?stage=AWSCURRENT`.
///
/// Without a key it is the whole value. `?version=ID` in place of a stage is one
/// version for good; without either it is the stage `AWSCURRENT`, which the
/// canonical form leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AwsSmRef {
    name: String,
    key: Option<String>,
    which: Which,
}

/// Which version of a secret of AWS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Which {
    Stage(String),
    Version(VersionId),
}

const CURRENT_STAGE: &str = "AWSCURRENT";

impl AwsSmRef {
    pub(super) fn parse(rest: &str) -> Result<Self, SecretRefError> {
        let pieces = Pieces::cut(rest)?;
        let name = segments(RefPart::Name, pieces.path, |b| {
            plain(b) || matches!(b, b'+' | b'=' | b'@')
        })?;
        let key = pieces.field.map(|key| word(RefPart::Field, key, plain));
        let which = match pieces.parameter_of(["stage", "version"])? {
            None => Which::Stage(CURRENT_STAGE.to_owned()),
            Some(("version", id)) => Which::Version(id.parse()?),
            Some((_, stage)) => Which::Stage(word(RefPart::Stage, stage, plain)?.to_owned()),
        };
        Ok(Self {
            name: name.to_owned(),
            key: key.transpose()?.map(str::to_owned),
            which,
        })
    }

    /// The name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key in the secret's JSON object; `None` is the whole value.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The staging label; `None` where a version is named.
    #[must_use]
    pub fn stage(&self) -> Option<&str> {
        match &self.which {
            Which::Stage(stage) => Some(stage),
            Which::Version(_) => None,
        }
    }

    /// The version's id; `None` where a stage is named.
    #[must_use]
    pub fn version(&self) -> Option<&VersionId> {
        match &self.which {
            Which::Stage(_) => None,
            Which::Version(id) => Some(id),
        }
    }

    pub(super) fn any_version(&self) -> Option<Self> {
        let current = Which::Stage(CURRENT_STAGE.to_owned());
        (self.which != current).then(|| Self {
            which: current,
            ..self.clone()
        })
    }
}

impl fmt::Display for AwsSmRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "awssm://{}", self.name)?;
        if let Some(key) = &self.key {
            write!(f, "#{key}")?;
        }
        match &self.which {
            Which::Stage(stage) if stage == CURRENT_STAGE => Ok(()),
            Which::Stage(stage) => write!(f, "?stage={stage}"),
            Which::Version(id) => write!(f, "?version={id}"),
        }
    }
}

/// An absolute path of a file: `file:///abs/path`; deployment configuration only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FilePath(String);

impl FilePath {
    pub(super) fn parse(rest: &str) -> Result<Self, SecretRefError> {
        let pieces = Pieces::cut(rest)?.without_field()?.without_parameters()?;
        let Some(below_root) = pieces.path.strip_prefix('/') else {
            return Err(SecretRefError::new(RefPart::Path, RefFault::NotAbsolute));
        };
        segments(RefPart::Path, below_root, |b| {
            plain(b) || matches!(b, b'+' | b'=' | b'@' | b',' | b':' | b'~')
        })?;
        Ok(Self(pieces.path.to_owned()))
    }

    /// The path, beginning with a slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file://{}", self.0)
    }
}

/// The name of an environment variable: `env://NAME`; deployment configuration only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnvName(String);

impl EnvName {
    pub(super) fn parse(rest: &str) -> Result<Self, SecretRefError> {
        let pieces = Pieces::cut(rest)?.without_field()?.without_parameters()?;
        let name = word(RefPart::Name, pieces.path, |b| {
            b.is_ascii_alphanumeric() || b == b'_'
        })?;
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(SecretRefError::new(RefPart::Name, RefFault::BadStart));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name of the variable.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "env://{}", self.0)
    }
}

/// A secret of our own store: `local://name?version=N`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LocalRef {
    name: SecretName,
    version: Option<SecretVersion>,
}

impl LocalRef {
    /// Makes a reference; no version is the newest.
    #[must_use]
    pub fn new(name: SecretName, version: Option<SecretVersion>) -> Self {
        Self { name, version }
    }

    pub(super) fn parse(rest: &str) -> Result<Self, SecretRefError> {
        let pieces = Pieces::cut(rest)?.without_field()?;
        Ok(Self {
            name: pieces.path.parse()?,
            version: pieces.parameter("version")?.map(str::parse).transpose()?,
        })
    }

    /// The name of the secret.
    #[must_use]
    pub fn name(&self) -> &SecretName {
        &self.name
    }

    /// The version; `None` is the newest.
    #[must_use]
    pub fn version(&self) -> Option<SecretVersion> {
        self.version
    }

    pub(super) fn any_version(&self) -> Option<Self> {
        self.version.map(|_| Self {
            version: None,
            ..self.clone()
        })
    }
}

impl fmt::Display for LocalRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "local://{}", self.name)?;
        version_suffix(self.version, f)
    }
}

fn version_suffix(version: Option<SecretVersion>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match version {
        Some(version) => write!(f, "?version={version}"),
        None => Ok(()),
    }
}
