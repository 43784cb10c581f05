//! Minting access tokens.

use std::time::Duration;

use cyprob_core::domain::{Timestamp, TokenId};
use cyprob_core::ports::Entropy;
use secrecy::SecretString;

use super::authority::{KIND_SERVICE, KIND_USER};
use super::facts::Facts;
use super::sign;
use super::signer::LiveSigner;
use crate::domain::{AccessClaims, OrgClaims, ServiceClaims};
use crate::ports::SignError;

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
    /// The key that should sign is not to be had.
    #[error("no key signs")]
    NoSigner,
    /// The key was asked and did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Mints access tokens with the key that signs when they are made.
#[derive(Clone, Debug)]
pub struct AccessMinter {
    keys: LiveSigner,
}

impl AccessMinter {
    /// Mints with one key, or with what signs of a ring.
    #[must_use]
    pub fn new(keys: impl Into<LiveSigner>) -> Self {
        Self { keys: keys.into() }
    }

    /// Whether a token can be minted at this time; asked before a change that one must follow.
    ///
    /// # Errors
    ///
    /// [`MintError::NoSigner`] and [`MintError::Sign`].
    pub async fn ready(&self, at: Timestamp) -> Result<(), MintError> {
        self.keys.ready(at).await
    }

    /// Mints a token: its text is what a client presents as its bearer token.
    ///
    /// # Errors
    ///
    /// [`MintError::Lifetime`] if the claims end more than [`MAX_LIFETIME`]
    /// after the time of their id, or not after it; [`MintError::NoSigner`] and
    /// [`MintError::Sign`] if the key does not sign.
    pub async fn mint(
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
        let key = self.keys.at(minted_at(claims.id))?;
        Ok(sign::token(&block, key.as_ref(), entropy, false).await?)
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
    keys: LiveSigner,
}

impl ServiceMinter {
    /// Mints with one key, or with what signs of a ring; not of that of people's tokens.
    #[must_use]
    pub fn new(keys: impl Into<LiveSigner>) -> Self {
        Self { keys: keys.into() }
    }

    /// Whether a token can be minted at this time.
    ///
    /// # Errors
    ///
    /// [`MintError::NoSigner`] and [`MintError::Sign`].
    pub async fn ready(&self, at: Timestamp) -> Result<(), MintError> {
        self.keys.ready(at).await
    }

    /// Mints a token: its text is what the machine presents as its bearer token.
    ///
    /// # Errors
    ///
    /// [`MintError::Lifetime`] as for people's tokens; [`MintError::NoSigner`]
    /// and [`MintError::Sign`] if the key does not sign.
    pub async fn mint(
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
        let key = self.keys.at(minted_at(claims.id))?;
        Ok(sign::token(&block, key.as_ref(), entropy, false).await?)
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
