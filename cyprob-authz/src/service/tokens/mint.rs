//! Minting access tokens.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use biscuit_auth::builder::{Algorithm, BiscuitBuilder};
use biscuit_auth::macros::{biscuit, biscuit_merge};
use biscuit_auth::{KeyPair, PrivateKey, datalog::SymbolTable};
use cyprob_core::domain::{Timestamp, TokenId};
use cyprob_core::ports::{Entropy, EntropyExt};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::authority::{KIND_SERVICE, KIND_USER};
use super::keys::SigningKey;
use super::text;
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
    /// The token could not be put together.
    #[error("the token could not be put together")]
    Token(#[source] Box<dyn std::error::Error + Send + Sync>),
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
        let mut builder = biscuit!(
            r#"
            jti({jti}); kind({kind}); user({user}); session({session}); epoch({epoch});
            aud({aud}); aal({aal}); auth_time({auth_time}); administrator({administrator});
            check if time($time), $time < {expires_at};
            "#,
            jti = claims.id.to_string(),
            kind = KIND_USER,
            user = claims.user.to_string(),
            session = claims.session.to_string(),
            epoch = i64::from(claims.user_epoch.get()),
            aud = claims.audience.as_str(),
            aal = i64::from(claims.aal.get()),
            auth_time = date(claims.auth_time),
            administrator = claims.administrator,
            expires_at = date(claims.expires_at),
        );
        if let Some(org) = &claims.org {
            builder = biscuit_merge!(
                with_org(builder, org),
                r#"member_epoch({member_epoch});"#,
                member_epoch = i64::from(org.member_epoch.get()),
            );
        }
        sign(builder, &self.key, entropy, false)
    }
}

/// The organization and the role in it.
fn with_org(builder: BiscuitBuilder, org: &OrgClaims) -> BiscuitBuilder {
    let builder = biscuit_merge!(
        builder,
        r#"org({org}); slug({slug}); role({role});"#,
        org = org.id.to_string(),
        slug = org.slug.as_str(),
        role = org.role.as_str(),
    );
    match org.version {
        None => builder,
        Some(version) => biscuit_merge!(
            builder,
            r#"role_id({role_id}); role_epoch({role_epoch});"#,
            role_id = version.id.to_string(),
            role_epoch = i64::from(version.epoch.get()),
        ),
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
        let builder = biscuit!(
            r#"
            jti({jti}); kind({kind}); service({service}); key({key});
            on_behalf_of({on_behalf_of}); epoch({epoch}); aud({aud});
            check if time($time), $time < {expires_at};
            "#,
            jti = claims.id.to_string(),
            kind = KIND_SERVICE,
            service = claims.account.to_string(),
            key = claims.key.to_string(),
            on_behalf_of = claims.on_behalf_of.to_string(),
            epoch = i64::from(claims.org.member_epoch.get()),
            aud = claims.audience.as_str(),
            expires_at = date(claims.expires_at),
        );
        sign(with_org(builder, &claims.org), &self.key, entropy, false)
    }
}

/// Signs what was built, with a next key from the port.
pub(super) fn sign(
    builder: BiscuitBuilder,
    key: &SigningKey,
    entropy: &dyn Entropy,
    seal: bool,
) -> Result<SecretString, MintError> {
    let failed = |e: biscuit_auth::error::Token| MintError::Token(Box::new(e));
    let seed = Zeroizing::new(entropy.bytes::<32>());
    let next = PrivateKey::from_bytes(seed.as_slice(), Algorithm::Ed25519)
        .map_err(|e| MintError::Token(Box::new(e)))?;
    let mut token = builder
        .root_key_id(key.id().get())
        .build_with_key_pair(key.pair(), SymbolTable::new(), &KeyPair::from(&next))
        .map_err(failed)?;
    if seal {
        token = token.seal().map_err(failed)?;
    }
    let bytes = Zeroizing::new(token.to_vec().map_err(failed)?);
    Ok(SecretString::from(text::encode(&bytes)))
}

/// A time as a token writes it: whole seconds.
pub(super) fn date(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.as_seconds()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
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
