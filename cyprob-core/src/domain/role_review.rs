//! Reviews of who holds which role in an organization.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DisplayName, Email, OrgId, ReviewId, RoleName, Timestamp, UserId};

mod changes;

pub use changes::{RoleChanges, RoleMove};

/// Someone who holds a role, as the reviewer sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleHolder {
    /// The person's sign-in name.
    pub email: Email,
    /// The person's name.
    pub name: DisplayName,
    /// What the review keeps of it.
    pub held: HeldRole,
}

/// One line of a review: who held which role, and how. It names nobody but by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldRole {
    /// The person.
    pub user: UserId,
    /// The role.
    pub role: RoleName,
    /// Since when the person was a member.
    pub since: Timestamp,
    /// When a session with access to the organization was last used, if ever.
    pub last_used_at: Option<Timestamp>,
}

/// The SHA-256 over an organization's members, each with role and beginning.
///
/// When a role was last used is not in it: that changes without anyone's decision.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct MappingDigest([u8; 32]);

/// The text is not such a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: sha256: and 64 lower-case hex digits")]
pub struct MappingDigestError;

const DIGEST_LABEL: &str = "cyprob role mapping 1";
const DIGEST_PREFIX: &str = "sha256:";

impl MappingDigest {
    /// The digest of a mapping, in whatever order it comes.
    #[must_use]
    pub fn of<'a>(org: OrgId, mapping: impl IntoIterator<Item = &'a HeldRole>) -> Self {
        let sorted: BTreeMap<_, _> = mapping.into_iter().map(|held| (held.user, held)).collect();
        let mut hash = Sha256::new();
        hash.update(DIGEST_LABEL.as_bytes());
        hash.update(org.as_bytes());
        for held in sorted.into_values() {
            // Everything but the name has one length, so a length before the name suffices.
            hash.update(held.user.as_bytes());
            hash.update(held.since.as_micros().to_be_bytes());
            hash.update((held.role.as_str().len() as u64).to_be_bytes());
            hash.update(held.role.as_str().as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// Takes a stored digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The stored bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for MappingDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DIGEST_PREFIX}{}", hex::encode(self.0))
    }
}

impl fmt::Debug for MappingDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MappingDigest {
    type Err = MappingDigestError;

    fn from_str(text: &str) -> Result<Self, MappingDigestError> {
        let hex = text
            .strip_prefix(DIGEST_PREFIX)
            .filter(|hex| hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
            .ok_or(MappingDigestError)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex, &mut bytes).map_err(|_| MappingDigestError)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for MappingDigest {
    type Error = MappingDigestError;

    fn try_from(text: String) -> Result<Self, MappingDigestError> {
        text.parse()
    }
}

/// What a signer says of a review: 1 to 1,000 characters on one line.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ReviewNote(String);

/// The text is not a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a note: 1 to 1000 characters on one line, not all of them blank")]
pub struct ReviewNoteError;

impl ReviewNote {
    /// The note's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ReviewNote {
    type Err = ReviewNoteError;

    fn from_str(text: &str) -> Result<Self, ReviewNoteError> {
        let text = text.trim();
        let holds = (1..=1_000).contains(&text.chars().count())
            && !text
                .chars()
                .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
        if holds {
            Ok(Self(text.to_owned()))
        } else {
            Err(ReviewNoteError)
        }
    }
}

impl TryFrom<String> for ReviewNote {
    type Error = ReviewNoteError;

    fn try_from(text: String) -> Result<Self, ReviewNoteError> {
        text.parse()
    }
}

/// Shows the length alone, since a note may name people.
impl fmt::Debug for ReviewNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReviewNote({} bytes)", self.0.len())
    }
}

/// That a person stands for a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOff {
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// What they say.
    pub note: ReviewNote,
    /// Whether the signer was the last to change a membership since the signed review before this one.
    pub self_reviewed: bool,
}

/// A review without its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRecord {
    /// Its id.
    pub id: ReviewId,
    /// The digest of the mapping that it is about.
    pub digest: MappingDigest,
    /// How many members it names.
    pub members: u32,
    /// Who opened it.
    pub opened_by: UserId,
    /// When the mapping was as it says.
    pub opened_at: Timestamp,
    /// Who stands for it; none while it is open. What is signed never changes.
    pub signed: Option<SignOff>,
}

/// A review of an organization's roles: the mapping at a moment, and who stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleReview {
    /// What is said of it.
    pub record: ReviewRecord,
    /// The mapping, by account id.
    pub mapping: Vec<HeldRole>,
}

#[cfg(test)]
mod tests;
