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
use crate::domain::{Audience, JobClaims, RootKeyId};

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
    /// the fence passes 2^63; [`MintError::NoSigner`] and [`MintError::Sign`]
    /// if the key does not sign.
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

/// A job token that was verified, without its text.
#[derive(Clone, Debug)]
pub struct VerifiedJob {
    pub(crate) claims: JobClaims,
    key: RootKeyId,
    /// The bytes of that key: an id may be given to another one.
    public: [u8; 32],
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
        self.verify_kept(token, at).map(|job| job.claims)
    }

    /// Verifies it as [`verify`](Self::verify) does, and keeps what it takes to judge it anew.
    pub(crate) fn verify_kept(
        &self,
        token: &str,
        at: Timestamp,
    ) -> Result<VerifiedJob, TokenError> {
        let bytes = super::text::decode(token)?;
        let (shape, public) = verified::<JobClaims>(&bytes, |_| &self.ring, at)?;
        let (key, claims) = (shape.key, shape.authority);
        if claims.audience != self.audience {
            return Err(TokenError::Audience);
        }
        check_times(claims.id, claims.deadline, at)?;
        Ok(VerifiedJob {
            claims,
            key,
            public,
        })
    }

    /// Judges the token by its key's status and its deadline alone: its bytes are those that held.
    pub(crate) fn still_holds(&self, job: &VerifiedJob, at: Timestamp) -> Result<(), TokenError> {
        if !self.ring.verifies(job.key, &job.public, at) {
            return Err(TokenError::UnknownKey);
        }
        check_times(job.claims.id, job.claims.deadline, at)
    }
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{KeyRing, KeyStatus, RingKey};
    use crate::testkit::Stand;

    #[tokio::test]
    async fn what_held_holds_no_longer_than_its_key_and_its_deadline() {
        let stand = Stand::new(7);
        // the keys of a stand are as good as a worker's
        let minter = JobMinter::new(std::sync::Arc::clone(&stand.key));
        let job = stand.job();
        let token = minter.mint(&job, &*stand.entropy).await.unwrap();
        let key = stand.key.ring_key(Timestamp::UNIX_EPOCH);
        let ring = LiveRing::new(KeyRing::new([key.clone()]).unwrap()).unwrap();
        let verifier = JobVerifier::new(ring.clone(), stand.audience.clone());
        let at = stand.now();
        let text = secrecy::ExposeSecret::expose_secret(&token);
        let kept = verifier.verify_kept(text, at).unwrap();
        assert_eq!(kept.claims, job);
        assert_eq!(verifier.still_holds(&kept, at), Ok(()));
        let late = at.after(Duration::from_secs(60));
        assert_eq!(verifier.still_holds(&kept, late), Err(TokenError::Expired));
        let revoked = RingKey {
            status: KeyStatus::Revoked,
            ..key.clone()
        };
        // another key with the same id
        let other = stand.service_key.ring_key(Timestamp::UNIX_EPOCH);
        for left in [Some(revoked), Some(other), None] {
            ring.replace(KeyRing::new(left).unwrap()).unwrap();
            assert_eq!(verifier.still_holds(&kept, at), Err(TokenError::UnknownKey));
        }
        ring.replace(KeyRing::new([key.clone()]).unwrap()).unwrap();
        assert_eq!(verifier.still_holds(&kept, at), Ok(()));
    }
}
