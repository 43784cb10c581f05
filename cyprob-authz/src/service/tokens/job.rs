//! The sealed tokens of workers: one run, one attempt, until a deadline.

use cyprob_core::domain::Timestamp;
use cyprob_core::ports::Entropy;
use secrecy::SecretString;

use super::authority::KIND_JOB;
use super::facts::Facts;
use super::keys::LiveRing;
use super::mint::{MintError, check_lifetime, minted_at};
use super::sign;
use super::signer::LiveSigner;
use super::verify::{TokenError, check_times, verified};
use crate::domain::{Audience, JobClaims};

/// Mints job tokens with the key that signs of the workers' ring.
#[derive(Clone, Debug)]
pub struct JobMinter {
    keys: LiveSigner,
}

impl JobMinter {
    /// Mints with one key, or with what signs of a ring; not of one of access tokens.
    #[must_use]
    pub fn new(keys: impl Into<LiveSigner>) -> Self {
        Self { keys: keys.into() }
    }

    /// Mints a sealed token; it is minted anew at each heartbeat.
    ///
    /// # Errors
    ///
    /// [`MintError::Lifetime`] as for access tokens; [`MintError::Range`] if
    /// the fence passes 2^63.
    pub async fn mint(
        &self,
        claims: &JobClaims,
        entropy: &dyn Entropy,
    ) -> Result<SecretString, MintError> {
        check_lifetime(claims.id, claims.deadline)?;
        let fence = i64::try_from(claims.fence).map_err(|_| MintError::Range)?;
        let mut facts = Facts::new();
        facts
            .text("jti", claims.id.to_string())
            .text("kind", KIND_JOB)
            .text("run", claims.run.to_string())
            .number("fence", fence)
            .bytes("rule_set", claims.rule_set.as_bytes())
            .text("org", claims.org.to_string())
            .text("on_behalf_of", claims.on_behalf_of.to_string())
            .text("aud", claims.audience.as_str());
        let block = facts.block(claims.deadline);
        let key = self.keys.at(minted_at(claims.id))?;
        Ok(sign::token(&block, key.as_ref(), entropy, true).await?)
    }
}

/// Verifies job tokens. Whether the attempt is still the current one is the queue's to say.
#[derive(Clone, Debug)]
pub struct JobVerifier {
    ring: LiveRing,
    audience: Audience,
}

impl JobVerifier {
    /// Verifies with the workers' ring, for this deployment.
    #[must_use]
    pub fn new(ring: LiveRing, audience: Audience) -> Self {
        Self { ring, audience }
    }

    /// Verifies shape, signatures, audience and deadline.
    ///
    /// # Errors
    ///
    /// [`TokenError`]: the caller is told no more than that the token is invalid.
    pub fn verify(&self, token: &str, at: Timestamp) -> Result<JobClaims, TokenError> {
        let bytes = super::text::decode(token)?;
        let (shape, _) = verified::<JobClaims>(&bytes, |_| &self.ring, at)?;
        let claims = shape.authority;
        if claims.audience != self.audience {
            return Err(TokenError::Audience);
        }
        check_times(claims.id, claims.deadline, at)?;
        Ok(claims)
    }
}
