//! Why a secret could not be read or written.

use std::fmt;

use std::sync::Arc;

use crate::domain::{Scheme, SecretName, SecretRef, SecretValue, SecretValueError, SecretVersion};

/// A source of an error, for the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A failure of a provider or store; no variant ever carries a value.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// No provider of this kind is configured, or the wrong one was asked.
    #[error("no provider for {scheme} references is configured here")]
    Unserved {
        /// The kind of the reference.
        scheme: Scheme,
    },
    /// The secret is there, but where or how it is kept is not acceptable.
    #[error("{reference}: {refusal}")]
    Refused {
        /// The reference that was read.
        reference: Box<SecretRef>,
        /// What is not acceptable, and its remedy.
        refusal: Refusal,
    },
    /// The store's own directory or key file is not acceptable.
    #[error("{item}: {refusal}")]
    UnsafeStore {
        /// The directory or file.
        item: Sealed,
        /// What is not acceptable, and its remedy.
        refusal: Refusal,
    },
    /// A sealed file is not what was written there; restore it from a backup.
    #[error("{item}: {damage}")]
    Damaged {
        /// The file.
        item: Sealed,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A sealed file was made under another key than the store has.
    #[error(
        "{item}: sealed under another key; configure the master key or restore the key ring it was made with"
    )]
    WrongKey {
        /// The file.
        item: Sealed,
    },
    /// The store exists but its master key is gone; a new one would open nothing.
    #[error("the store exists but its master key file is missing; restore the key file")]
    KeyMissing,
    /// The source cannot be reached or failed.
    #[error("secret source unavailable")]
    Unavailable {
        /// The cause, for the log.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync + 'static>,
    },
}

impl SecretError {
    /// What an adapter answers when its source fails; the cause is for the log alone.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable {
            source: source.into().into(),
        }
    }

    /// What an adapter answers to a reference that it will not serve.
    pub fn refused(reference: &SecretRef, refusal: Refusal) -> Self {
        Self::Refused {
            reference: Box::new(reference.clone()),
            refusal,
        }
    }
}

/// What is not acceptable about the place of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The name is under none of the allowed prefixes.
    #[error("not under an allowed prefix; add the prefix to the configuration")]
    NotAllowed,
    /// The last component of the path is a symbolic link.
    #[error("is a symbolic link; name the file itself")]
    SymbolicLink,
    /// It is no regular file (or, for a store, no directory).
    #[error("is a directory, pipe, socket or device where another kind of file is needed")]
    WrongKind,
    /// It belongs to neither this process's user nor root.
    #[error("belongs to another user; give it to the user of this process")]
    WrongOwner,
    /// Group or others may access it.
    #[error("group or others may access it; take their permissions away (chmod go=)")]
    OpenMode,
    /// It holds more bytes than allowed.
    #[error("larger than {max} bytes")]
    TooLarge {
        /// The bound in bytes.
        max: usize,
    },
    /// It holds nothing.
    #[error("is empty")]
    Empty,
    /// The source does not know this deployment any more.
    #[error("the source does not accept this deployment's own login; renew it")]
    NoLogin,
    /// A version of what has none.
    #[error("its source keeps no versions; leave the version out")]
    Unversioned,
    /// It holds no acceptable master key.
    #[error("holds no master key; write 64 hexadecimal digits")]
    NotAKey,
    /// Its source knows this deployment, or not even that, and does not let it read the secret.
    #[error("the source's policy does not let this deployment read it; grant that")]
    Denied,
    /// Its source cannot make sense of the reference.
    #[error("the source does not take the reference; correct its name, stage or version")]
    NotTaken,
    /// A key is asked for, and there is no JSON object.
    #[error("is no JSON object; leave the key out or store an object")]
    NotAnObject,
    /// The key holds a number, a truth value, nothing, a list or an object.
    #[error("its key holds no string; store the value as a JSON string")]
    NotText,
    /// A key stands in its JSON object twice, so that readers may differ.
    #[error("its JSON object names a key twice; store each key once")]
    RepeatedKey,
    /// Something else wrote where this store keeps its own.
    #[error("was not written by this store; move it away, or put the secret through the store")]
    Foreign,
    /// The place where it is, or is to be stored, does not exist.
    #[error("its source has no such mount or namespace; make it")]
    NoPlace,
    /// Where it is to be stored something else is mounted.
    #[error("something else is mounted there; unmount it, or configure another mount")]
    Occupied,
    /// Secrets are where they were kept before their organization had a namespace.
    #[error("secrets are still outside of the namespace; move them, or delete them there")]
    Unmoved,
}

/// What is wrong with a sealed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// It has no header of ours, or a newer format.
    #[error("has no header of a format known here")]
    Header,
    /// Its end is missing or has grown.
    #[error("truncated or grown")]
    Length,
    /// It is sealed as another secret, another version or another kind of file.
    #[error("sealed as another secret or version; files were swapped")]
    Misplaced,
    /// Its seal does not open: a bit is not what it was.
    #[error("its seal does not open; bits were changed")]
    Seal,
    /// It is from before a change that this process has seen.
    #[error("older than it was; restart this process if a backup was restored")]
    Older,
    /// The store says it is there, and it is not.
    #[error("missing")]
    Missing,
    /// It is no file in a state that the store makes.
    #[error("not in a state this store makes")]
    State,
}

/// A file of a local store, by what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sealed {
    /// The directory itself.
    Directory,
    /// The key ring, the file that also marks a directory as a store.
    Store,
    /// The master key file.
    Key,
    /// The list of a secret's versions.
    Head(SecretName),
    /// One version of a secret.
    Value(SecretName, SecretVersion),
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("directory of the secret store"),
            Self::Store => f.write_str("key ring of the secret store"),
            Self::Key => f.write_str("master key file"),
            Self::Head(name) => write!(f, "version list of secret {name}"),
            Self::Value(name, version) => write!(f, "secret {name} version {version}"),
        }
    }
}

impl From<SecretValueError> for Refusal {
    fn from(error: SecretValueError) -> Self {
        match error {
            SecretValueError::Empty => Self::Empty,
            SecretValueError::TooLong => Self::TooLarge {
                max: SecretValue::MAX_LEN,
            },
        }
    }
}
