//! Verifying tokens: shape, then signatures, then the rest.

use std::sync::Arc;
use std::time::Duration;

use biscuit_auth::format::SerializedBiscuit;
use biscuit_auth::{PublicKey, error};
use cyprob_core::domain::{Timestamp, TokenId};

use super::authority::{Authority, CallerClaims};
use super::keys::LiveRing;
use super::mint::{MAX_LIFETIME, minted_at};
use super::shape::{self, Shape, ShapeError};
use super::text;
use crate::domain::{Audience, Narrowings, Verified, VerifiedToken};
use crate::service::cache::{CacheLimits, TokenCache};

/// How far another node's clock may be ahead of this one's.
pub(in crate::service) const CLOCK_LEEWAY: Duration = Duration::from_secs(60);

/// The token is refused. A client is told `invalid_token` and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It does not have the shape of the control plane's tokens.
    #[error("bad shape: {0}")]
    Shape(#[from] ShapeError),
    /// No key of this id verifies at this time.
    #[error("no key of this id verifies")]
    UnknownKey,
    /// A signature does not hold.
    #[error("a signature does not hold")]
    Signature,
    /// It is for another deployment.
    #[error("for another audience")]
    Audience,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It was minted in the future, or for longer than any token lives.
    #[error("its times do not fit")]
    Times,
    /// It was revoked, or its person's or membership's epoch is past.
    #[error("revoked")]
    Revoked,
    /// Whether it was revoked is not known: the revocations are older than they may be.
    #[error("the revocations are not up to date")]
    Stale,
}

/// Verifies access tokens, with a bounded memory of those that held.
#[derive(Debug)]
pub struct TokenVerifier {
    ring: LiveRing,
    services: LiveRing,
    audience: Audience,
    cache: TokenCache,
}

impl TokenVerifier {
    /// Verifies with the ring of people's keys and that of service accounts, for this deployment.
    ///
    /// Which ring a token is held against follows from its kind, so a key of
    /// one ring signs nothing for the other.
    #[must_use]
    pub fn new(
        ring: LiveRing,
        services: LiveRing,
        audience: Audience,
        limits: CacheLimits,
    ) -> Self {
        Self {
            ring,
            services,
            audience,
            cache: TokenCache::new(limits),
        }
    }

    /// The deployment's name.
    #[must_use]
    pub const fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The ring of people's keys, to publish or replace it.
    #[must_use]
    pub const fn ring(&self) -> &LiveRing {
        &self.ring
    }

    /// The ring of service accounts' keys, to publish or replace it.
    #[must_use]
    pub const fn services(&self) -> &LiveRing {
        &self.services
    }

    /// How many tokens the memory holds, and their bytes.
    #[must_use]
    pub fn cached(&self) -> (usize, usize) {
        self.cache.size()
    }

    /// Whether a token's text is remembered.
    #[cfg(feature = "testkit")]
    pub(crate) fn remembers(&self, token: &str) -> bool {
        self.cache.holds(token.as_bytes())
    }

    /// Verifies everything but revocation, which [`AccessControl`](crate::service::AccessControl) asks of the revocation view.
    ///
    /// A token that is remembered is judged anew by its key's status and its time.
    ///
    /// # Errors
    ///
    /// [`TokenError`], never `Revoked`.
    pub fn verify(&self, token: &str, at: Timestamp) -> Result<VerifiedToken, TokenError> {
        text::check_length(token.as_bytes())?;
        // A token has one text, so what is known is found without decoding it.
        if let Some(known) = self.cache.get(token.as_bytes()) {
            self.still_holds(&known, at)?;
            return Ok(known);
        }
        let verified = self.verify_cold(&text::decode(token)?, at)?;
        self.cache.insert(token.as_bytes(), verified.clone(), at);
        Ok(verified)
    }

    /// The token of this text, if it is remembered and holds.
    #[cfg(feature = "axum")]
    pub(in crate::service) fn remembered(
        &self,
        text: &[u8],
        at: Timestamp,
    ) -> Option<VerifiedToken> {
        text::check_length(text).ok()?;
        let known = self.cache.get(text)?;
        self.still_holds(&known, at).ok()?;
        Some(known)
    }

    /// Verifies the bytes without looking at the memory.
    pub(crate) fn verify_cold(
        &self,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<VerifiedToken, TokenError> {
        let ring = |claims: &CallerClaims| match claims {
            CallerClaims::Person(_) => &self.ring,
            CallerClaims::Service(_) => &self.services,
        };
        let (shape, public) = verified::<CallerClaims>(bytes, ring, at)?;
        let key = shape.key;
        let narrowings = Narrowings::compile(shape.narrowings);
        let (audience, id, ends) = match &shape.authority {
            CallerClaims::Person(it) => (&it.audience, it.id, it.expires_at),
            CallerClaims::Service(it) => (&it.audience, it.id, it.expires_at),
        };
        if *audience != self.audience {
            return Err(TokenError::Audience);
        }
        check_times(id, ends, at)?;
        Ok(match shape.authority {
            CallerClaims::Person(claims) => {
                VerifiedToken::Person(Arc::new(Verified::new(key, public, claims, narrowings)))
            }
            CallerClaims::Service(claims) => {
                VerifiedToken::Service(Arc::new(Verified::new(key, public, claims, narrowings)))
            }
        })
    }
}

/// Shape, then key, then signatures; gives the bytes of the key too.
pub(super) fn verified<'a, A: Authority>(
    bytes: &[u8],
    ring: impl FnOnce(&A) -> &'a LiveRing,
    at: Timestamp,
) -> Result<(Shape<A>, [u8; 32]), TokenError> {
    let shape = shape::judge::<A>(bytes)?;
    let (key, public) = ring(&shape.authority)
        .verifying(shape.key, at)
        .ok_or(TokenError::UnknownKey)?;
    let named = shape.key.get();
    // INVARIANT: the key is chosen by its id; a bare key as the provider would ignore the id
    let choose = |id: Option<u32>| -> Result<PublicKey, error::Format> {
        if id == Some(named) {
            Ok(key)
        } else {
            Err(error::Format::UnknownPublicKey)
        }
    };
    // the signatures alone: the blocks were read above, and no Datalog is made of them
    SerializedBiscuit::from_slice(bytes, choose).map_err(|_| TokenError::Signature)?;
    Ok((shape, public))
}

/// Whether a token of this id and end lives now.
pub(super) fn check_times(id: TokenId, ends: Timestamp, at: Timestamp) -> Result<(), TokenError> {
    if at >= ends {
        return Err(TokenError::Expired);
    }
    let minted = minted_at(id);
    if minted.since(at) > CLOCK_LEEWAY || ends.since(minted) > MAX_LIFETIME {
        return Err(TokenError::Times);
    }
    Ok(())
}
