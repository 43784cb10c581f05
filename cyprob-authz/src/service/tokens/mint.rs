//! Minting access tokens.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::{Timestamp, TokenId};
use cyprob_core::ports::Entropy;
use secrecy::SecretString;

use super::authority::{KIND_SERVICE, KIND_USER};
use super::facts::Facts;
use super::keys::SigningKey;
use super::sign;
use crate::domain::{AccessClaims, OrgClaims, RootKeyId, ServiceClaims};

/// The longest life a token may have.
pub const MAX_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The token was not minted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// It would live for longer than [`MAX_LIFETIME`], or be dead at once.
    #[error("a token lives for more than nothing and at most 15 minutes")]
    Lifetime,
    /// A number does not fit the token.
    #[error("a number does not fit the token")]
    Range,
}

/// Mints access tokens with one key.
#[derive(Clone, Debug)]
pub struct AccessMinter {
    key: Arc<SigningKey>,
}

impl AccessMinter {
    /// Mints with this key.
    #[must_use]
    pub fn new(key: Arc<SigningKey>) -> Self {
        Self { key }
    }

    /// The key's id.
    #[must_use]
    pub fn key(&self) -> RootKeyId {
        self.key.id()
    }

    /// Mints a token: its text is what a client presents as its bearer token.
    ///
    /// # Errors
    ///
    /// [`MintError::Lifetime`] if the claims end more than [`MAX_LIFETIME`]
    /// after the time of their id, or not after it.
    pub fn mint(
        &self,
        claims: &AccessClaims,
        entropy: &dyn Entropy,
    ) -> Result<SecretString, MintError> {
        check_lifetime(claims.id, claims.expires_at)?;
        let mut facts = Facts::new();
        facts
            .text("jti", claims.id.to_string())
            .text("kind", KIND_USER)
            .text("user", claims.user.to_string())
            .text("session", claims.session.to_string())
            .number("epoch", claims.user_epoch.get().into())
            .text("aud", claims.audience.as_str())
            .number("aal", claims.aal.get().into())
            .date("auth_time", claims.auth_time)
            .truth("administrator", claims.administrator);
        if let Some(org) = &claims.org {
            with_org(&mut facts, org).number("member_epoch", org.member_epoch.get().into());
        }
        let block = facts.block(claims.expires_at);
        Ok(sign::token(&block, &self.key, entropy, false))
    }
}

/// The organization and the role in it.
fn with_org<'a>(facts: &'a mut Facts, org: &OrgClaims) -> &'a mut Facts {
    facts
        .text("org", org.id.to_string())
        .text("slug", org.slug.as_str())
        .text("role", org.role.as_str());
    match org.version {
        None => facts,
        Some(version) => facts
            .text("role_id", version.id.to_string())
            .number("role_epoch", version.epoch.get().into()),
    }
}

/// Mints access tokens of service accounts with a key of their own ring.
#[derive(Clone, Debug)]
pub struct ServiceMinter {
    key: Arc<SigningKey>,
}

impl ServiceMinter {
    /// Mints with this key, which must not be the one of people's tokens.
    #[must_use]
    pub fn new(key: Arc<SigningKey>) -> Self {
        Self { key }
    }

    /// Mints a token: its text is what the machine presents as its bearer token.
    ///
    /// # Errors
    ///
    /// [`MintError::Lifetime`] as for people's tokens.
    pub fn mint(
        &self,
        claims: &ServiceClaims,
        entropy: &dyn Entropy,
    ) -> Result<SecretString, MintError> {
        check_lifetime(claims.id, claims.expires_at)?;
        let mut facts = Facts::new();
        facts
            .text("jti", claims.id.to_string())
            .text("kind", KIND_SERVICE)
            .text("service", claims.account.to_string())
            .text("key", claims.key.to_string())
            .text("on_behalf_of", claims.on_behalf_of.to_string())
            .number("epoch", claims.org.member_epoch.get().into())
            .text("aud", claims.audience.as_str());
        let block = with_org(&mut facts, &claims.org).block(claims.expires_at);
        Ok(sign::token(&block, &self.key, entropy, false))
    }
}

pub(super) fn check_lifetime(id: TokenId, ends: Timestamp) -> Result<(), MintError> {
    let from = minted_at(id);
    // what counts is the end as the token writes it
    let ends = Timestamp::from_seconds(ends.as_seconds());
    if ends > from && ends.since(from) <= MAX_LIFETIME {
        Ok(())
    } else {
        Err(MintError::Lifetime)
    }
}

/// The time in a token's id, which is a UUIDv7 (RFC 9562): when it was minted, to the millisecond.
pub(super) fn minted_at(id: TokenId) -> Timestamp {
    let millis = id
        .as_bytes()
        .iter()
        .take(6)
        .fold(0_i64, |all, byte| (all << 8) | i64::from(*byte));
    Timestamp::from_micros(millis.saturating_mul(1_000))
}
