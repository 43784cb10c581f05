//! What tokens say.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use cyprob_core::domain::{
    Aal, Epoch, KeyId, OrgId, OrgSlug, RoleName, RoleVersion, RunId, ServiceAccountId, SessionId,
    Timestamp, TokenId, UserId,
};

/// Whom a token is for: the deployment's own name, 1 to 200 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Audience(Arc<str>);

/// The text cannot name an audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an audience: 1 to 200 printable ASCII characters")]
pub struct AudienceError;

impl Audience {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Audience {
    type Err = AudienceError;

    fn from_str(text: &str) -> Result<Self, AudienceError> {
        if (1..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(AudienceError)
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an access token says of the organization it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgClaims {
    /// The organization.
    pub id: OrgId,
    /// Its short name when the token was minted.
    pub slug: OrgSlug,
    /// The caller's role in it.
    pub role: RoleName,
    /// The version of the role, where the organization defined it.
    pub version: Option<RoleVersion>,
    /// The membership's epoch, or the service account's.
    pub member_epoch: Epoch,
}

/// What an access token says. Times in a token have whole seconds; finer parts are dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// The token's own id (`jti`); its time is when the token was minted.
    pub id: TokenId,
    /// The person.
    pub user: UserId,
    /// The one organization it is for, if any.
    pub org: Option<OrgClaims>,
    /// The session it belongs to.
    pub session: SessionId,
    /// The person's epoch.
    pub user_epoch: Epoch,
    /// The deployment it is for.
    pub audience: Audience,
    /// How strongly the person showed who they are.
    pub aal: Aal,
    /// When the person last showed a credential.
    pub auth_time: Timestamp,
    /// Valid while `at < expires_at`.
    pub expires_at: Timestamp,
    /// Whether the person is the deployment's administrator.
    pub administrator: bool,
}

/// What the access token of a service account says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceClaims {
    /// The token's own id (`jti`); its time is when the token was minted.
    pub id: TokenId,
    /// The account.
    pub account: ServiceAccountId,
    /// The key that was exchanged for it.
    pub key: KeyId,
    /// The person who answers for the account.
    pub on_behalf_of: UserId,
    /// The one organization it is for.
    pub org: OrgClaims,
    /// The deployment it is for.
    pub audience: Audience,
    /// Valid while `at < expires_at`.
    pub expires_at: Timestamp,
}

/// What a caller's token says: a person's or a service account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims<'a> {
    /// A person's.
    Person(&'a AccessClaims),
    /// A service account's.
    Service(&'a ServiceClaims),
}

impl<'a> Claims<'a> {
    /// The token's own id.
    #[must_use]
    pub const fn id(self) -> TokenId {
        match self {
            Self::Person(claims) => claims.id,
            Self::Service(claims) => claims.id,
        }
    }

    /// When it expires.
    #[must_use]
    pub const fn expires_at(self) -> Timestamp {
        match self {
            Self::Person(claims) => claims.expires_at,
            Self::Service(claims) => claims.expires_at,
        }
    }

    /// The organization it is for, if any.
    #[must_use]
    pub const fn org(self) -> Option<&'a OrgClaims> {
        match self {
            Self::Person(claims) => claims.org.as_ref(),
            Self::Service(claims) => Some(&claims.org),
        }
    }
}

impl<'a> From<&'a AccessClaims> for Claims<'a> {
    fn from(claims: &'a AccessClaims) -> Self {
        Self::Person(claims)
    }
}

impl<'a> From<&'a ServiceClaims> for Claims<'a> {
    fn from(claims: &'a ServiceClaims) -> Self {
        Self::Service(claims)
    }
}

/// The SHA-256 digest of the rule set that a job runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RuleSetDigest([u8; 32]);

impl RuleSetDigest {
    /// Takes the digest's bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RuleSetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What a worker's sealed token says: one attempt at one run, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobClaims {
    /// The token's own id.
    pub id: TokenId,
    /// The run.
    pub run: RunId,
    /// The attempt's fencing number; a higher one makes this one stale.
    pub fence: u64,
    /// The rule set the attempt runs.
    pub rule_set: RuleSetDigest,
    /// The organization whose run it is.
    pub org: OrgId,
    /// The person who asked for the run.
    pub on_behalf_of: UserId,
    /// The deployment it is for.
    pub audience: Audience,
    /// Valid while `at < deadline`; whole seconds.
    pub deadline: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audiences_are_plain_text() {
        assert!("https://cyprob.example".parse::<Audience>().is_ok());
        for bad in ["", "a b", "a\n", "é", &"x".repeat(201)] {
            assert!(bad.parse::<Audience>().is_err(), "{bad}");
        }
    }
}
