//! Verifying tokens where there is nothing but the public keys.

use cyprob_core::domain::Timestamp;
use serde::Deserialize;

use super::cache::CacheLimits;
use super::org_roles::rights_in;
use super::tokens::{LiveRing, TokenError, TokenVerifier};
use crate::domain::{
    Audience, KeyRing, KeyRingError, KeyStatus, Principal, RingKey, RoleCatalog, RootKeyId,
};

/// Verifies a control plane's access tokens in another service, by its published keys alone.
///
/// It has no database and asks nobody. So it cannot know what was revoked: a
/// token that was ended is good here until its time is over, at most 15 minutes
/// after it was made. Nor does it know the roles that organizations defined;
/// they permit nothing here. Nor which uses are spent: a token that its holder
/// narrowed to a number of uses is permitted nothing
/// ([`Rule::UseNotTaken`](crate::domain::Rule::UseNotTaken)). For what cannot
/// wait, ask the control plane.
///
/// Ask for the published keys again at least every four minutes: a new key is
/// published five minutes before it signs. A key that is on its way out is
/// published with its end, and verifies nothing after it, however old the text is.
///
/// # Examples
///
/// ```
/// use cyprob_authz::domain::RoleCatalog;
/// use cyprob_authz::service::PublicVerifier;
/// # use cyprob_core::domain::Timestamp;
///
/// // What `GET /.well-known/cyprob` answers.
/// let published = r#"{"token_keys": [], "service_token_keys": []}"#;
/// let verifier = PublicVerifier::new(published, "cyprob".parse()?, RoleCatalog::builtin())?;
/// assert!(verifier.verify("no token", Timestamp::UNIX_EPOCH).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// With the [`Principal`] a route is [decided](crate::domain::decide) as the
/// control plane decides it.
#[derive(Debug)]
pub struct PublicVerifier {
    verifier: TokenVerifier,
    roles: RoleCatalog,
}

/// The published keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishedKeysError {
    /// The text is not what a control plane publishes.
    #[error("not what /.well-known/cyprob answers")]
    Text(#[from] serde_json::Error),
    /// A key is written otherwise than `ed25519/` and 64 hex digits.
    #[error("key {0} is not written as ed25519/ and 64 hex digits")]
    Key(RootKeyId),
    /// A key's last time is no time of RFC 3339.
    #[error("key {0} verifies until what is no time")]
    Time(RootKeyId),
    /// The keys make no ring.
    #[error(transparent)]
    Ring(#[from] KeyRingError),
}

/// What is read of it; the rest is for verifiers of logs.
#[derive(Deserialize)]
struct Published {
    token_keys: Vec<Key>,
    service_token_keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    id: u32,
    public_key: String,
    status: String,
    not_after: Option<String>,
}

impl PublicVerifier {
    /// Verifies with the keys of a JSON text, for the deployment of this name and with its roles.
    ///
    /// The text must come by a way that nobody else writes to: whose keys these
    /// are is taken on trust.
    ///
    /// # Errors
    ///
    /// [`PublishedKeysError`] with what is wrong with the text.
    pub fn new(
        published: &str,
        audience: Audience,
        roles: RoleCatalog,
    ) -> Result<Self, PublishedKeysError> {
        let [people, services] = rings(published)?;
        let (people, services) = (LiveRing::new(people)?, LiveRing::new(services)?);
        let limits = CacheLimits::default();
        Ok(Self {
            verifier: TokenVerifier::new(people, services, audience, limits),
            roles,
        })
    }

    /// Takes the keys of a newer text; tokens of a key that left or was revoked are refused from now on.
    ///
    /// # Errors
    ///
    /// As [`PublicVerifier::new`]; the keys of before stay then.
    pub fn replace(&self, published: &str) -> Result<(), PublishedKeysError> {
        let [people, services] = rings(published)?;
        // Both are judged before either is put to work.
        LiveRing::new(services.clone())?;
        self.verifier.ring().replace(people)?;
        self.verifier.services().replace(services)?;
        Ok(())
    }

    /// Verifies a token's shape, signatures, time and audience; not whether it was revoked.
    ///
    /// # Errors
    ///
    /// [`TokenError`]; a client is told `invalid_token` and no more.
    pub fn verify(&self, token: &str, at: Timestamp) -> Result<Principal, TokenError> {
        let token = self.verifier.verify(token, at)?;
        if let Some(org) = token.claims().org()
            && org.version.is_none()
        {
            token
                .role()
                .get_or_init(|| rights_in(&self.roles, &org.role));
        }
        Ok(Principal::new(token))
    }
}

/// The rings of people's keys and of service accounts'.
fn rings(published: &str) -> Result<[KeyRing; 2], PublishedKeysError> {
    let Published {
        token_keys,
        service_token_keys,
    } = serde_json::from_str(published)?;
    let ring = |keys: Vec<Key>| {
        let keys: Result<Vec<_>, PublishedKeysError> = keys.into_iter().map(ring_key).collect();
        Ok::<_, PublishedKeysError>(KeyRing::new(keys?)?)
    };
    Ok([ring(token_keys)?, ring(service_token_keys)?])
}

fn ring_key(key: Key) -> Result<RingKey, PublishedKeysError> {
    let id = RootKeyId::new(key.id);
    let digits = key.public_key.strip_prefix("ed25519/");
    let bytes = digits.and_then(|digits| hex::decode(digits).ok());
    let public = bytes.and_then(|bytes| bytes.try_into().ok());
    let end = key.not_after.map(|end| end.parse()).transpose();
    Ok(RingKey {
        id,
        public: public.ok_or(PublishedKeysError::Key(id))?,
        not_before: Timestamp::UNIX_EPOCH,
        not_after: end.map_err(|_| PublishedKeysError::Time(id))?,
        status: key.status.parse::<KeyStatus>()?,
    })
}
