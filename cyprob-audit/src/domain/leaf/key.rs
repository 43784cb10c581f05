//! The keys that seal personal values.

use std::fmt;
use std::str::FromStr;

use cyprob_core::domain::UserId;
use secrecy::SecretBox;

/// The text is not the id of a subject key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a subject key id: 32 lower-case hex digits")]
pub struct SubjectKeyIdError;

/// Whose key seals a personal value; within one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyOwner {
    /// The person whom the value is about.
    Person(UserId),
    /// The log itself, where no account is known.
    Log,
}

/// The id of a subject key: 16 random bytes, which say nothing of the person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectKeyId([u8; 16]);

impl SubjectKeyId {
    /// Takes 16 random bytes as an id.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for SubjectKeyId {
    type Err = SubjectKeyIdError;

    fn from_str(text: &str) -> Result<Self, SubjectKeyIdError> {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(SubjectKeyIdError);
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| SubjectKeyIdError)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for SubjectKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SubjectKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key that seals the personal values about one owner in one log.
pub struct SubjectKey {
    /// Its id, which sealed values name.
    pub id: SubjectKeyId,
    /// The 32 bytes.
    pub secret: SecretBox<[u8; 32]>,
}

/// Shows the id alone.
impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKey({})", self.id)
    }
}
