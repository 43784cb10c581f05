//! Sessions, grants and the hashes of single-use tokens.

use std::fmt;
use std::net::IpAddr;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{DisplayName, Email, Epoch, OrgId, RefreshKeyId, SessionId, Timestamp, UserId};

/// How strongly a person showed who they are (NIST SP 800-63B).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aal {
    /// One factor.
    One,
    /// Two factors.
    Two,
}

impl Aal {
    /// The level's number.
    #[must_use]
    pub const fn get(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// The level of a number.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The person signed out.
    Logout,
    /// The person ended it from another session.
    Revoked,
    /// A used refresh token came back.
    Theft,
    /// The password or the second factor was changed.
    CredentialChange,
    /// The account was switched off.
    Disabled,
    /// The deployment's administrator ended it.
    Administrator,
}

impl EndReason {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Revoked => "revoked",
            Self::Theft => "theft",
            Self::CredentialChange => "credential_change",
            Self::Disabled => "disabled",
            Self::Administrator => "administrator",
        }
    }
}

/// The random part of a session's refresh tokens; without it nobody makes one.
#[derive(Clone)]
pub struct SessionSeed(Zeroizing<[u8; 32]>);

impl SessionSeed {
    /// Takes 256 random bits.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the store and the derivation.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SessionSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSeed(…)")
    }
}

/// The SHA-256 of a single-use token of 256 random bits; the token itself is never stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of a token's text.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
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

    /// Compares in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

/// The moving part of a session: which refresh token is the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshState {
    /// The number of the current refresh token.
    pub generation: u32,
    /// The server key of the current one.
    pub key: RefreshKeyId,
    /// The server key of the one before it.
    pub previous_key: Option<RefreshKeyId>,
    /// When the current one replaced the one before it; at first, when the session opened.
    pub rotated_at: Timestamp,
}

/// One sign-in of one person: the only source of truth for its tokens.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its public id.
    pub id: SessionId,
    /// The person.
    pub user: UserId,
    /// The secret that its refresh tokens are derived from.
    pub seed: SessionSeed,
    /// Which refresh token is current.
    pub refresh: RefreshState,
    /// The person's epoch when the session was opened or last re-keyed.
    pub credential_epoch: Epoch,
    /// When a credential was last shown.
    pub auth_time: Timestamp,
    /// How strong it was.
    pub aal: Aal,
    /// When the session opened.
    pub created_at: Timestamp,
    /// When its tokens were last renewed.
    pub last_used_at: Timestamp,
    /// Until when a refresh is taken; slides with each.
    pub idle_expires_at: Timestamp,
    /// When it ends whatever happens.
    pub absolute_expires_at: Timestamp,
    /// When it was ended, if it was.
    pub ended_at: Option<Timestamp>,
    /// What the client called itself.
    pub client: Option<String>,
    /// The peer's address at sign-in.
    pub ip_address: Option<IpAddr>,
}

impl Session {
    /// When it ends if nothing happens.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.idle_expires_at.min(self.absolute_expires_at)
    }

    /// Whether its tokens may still be renewed, its owner's state apart.
    #[must_use]
    pub fn is_live(&self, at: Timestamp) -> bool {
        self.ended_at.is_none() && at < self.expires_at()
    }
}

/// A session's access to one organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The session.
    pub session: SessionId,
    /// The organization.
    pub org: OrgId,
    /// When the session got its first token for it.
    pub created_at: Timestamp,
    /// When the organization ended it, if it did; it stays ended for this session.
    pub ended_at: Option<Timestamp>,
}

/// A session as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// The person.
    pub user: UserId,
    /// The person's address.
    pub email: Email,
    /// The person's name.
    pub name: DisplayName,
    /// When it opened (in an organization's list: when it first touched the organization).
    pub created_at: Timestamp,
    /// When its tokens were last renewed.
    pub last_used_at: Timestamp,
    /// When it ends if nothing happens.
    pub expires_at: Timestamp,
    /// When a credential was last shown.
    pub auth_time: Timestamp,
    /// How strong it was.
    pub aal: Aal,
    /// What the client called itself.
    pub client: Option<String>,
    /// The peer's address at sign-in.
    pub ip_address: Option<IpAddr>,
}
