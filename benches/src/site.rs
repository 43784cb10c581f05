//! One route behind the secure router, and the same route bare.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use cyprob::authz::adapters::SigningKey;
use cyprob::authz::domain::{AccessClaims, Audience, KeyRing, OrgClaims, RoleCatalog, RootKeyId};
use cyprob::authz::http::{Auth, Org, PublicRoutes, SecureRouter, perm};
use cyprob::authz::ports::{DenialRecorder, RecordError, RoleSource, RoleSourceError};
use cyprob::authz::service::{
    AccessControl, AccessMinter, AccessParts, CacheLimits, ConnectionLimits, JobVerifier, LiveRing,
    RevocationView, TokenVerifier,
};
use cyprob::authz::testkit::at_once;
use cyprob::core::adapters::system::{SystemClock, SystemEntropy};
use cyprob::core::domain::audit::AuditEvent;
use cyprob::core::domain::{
    Aal, CtxIssuer, CustomRole, Epoch, OrgCtx, RoleId, RoleName, Timestamp,
};
use cyprob::core::ports::{Clock as _, EntropyExt as _};
use secrecy::{ExposeSecret as _, SecretBox};

/// The request check with everything as a deployment has it, and a key to mint tokens with.
#[derive(Debug)]
pub struct Site {
    /// The check.
    pub access: Arc<AccessControl>,
    minter: AccessMinter,
    org: OrgClaims,
    audience: Audience,
}

/// No benchmark is refused.
#[derive(Debug)]
struct NoDenials;

#[async_trait]
impl DenialRecorder for NoDenials {
    async fn record(&self, _: AuditEvent) -> Result<(), RecordError> {
        Err(RecordError::new("a benchmark was refused"))
    }
}

/// No organization of a benchmark defines a role.
#[derive(Debug)]
struct NoRoles;

#[async_trait]
impl RoleSource for NoRoles {
    async fn role(&self, _: &OrgCtx, _: RoleId) -> Result<Option<CustomRole>, RoleSourceError> {
        Ok(None)
    }
}

async fn ours(auth: Auth<Org<perm::RunsRead>>) -> &'static str {
    std::hint::black_box(auth.org());
    "[]"
}

async fn theirs() -> &'static str {
    "[]"
}

const PATH: &str = "/orgs/{org}/runs";

/// The same handler without a policy, on a router of axum's.
#[expect(clippy::disallowed_methods, reason = "the peer has no policy")]
pub fn bare() -> Router {
    Router::new().route(PATH, get(theirs))
}

/// The handler behind the secure router.
///
/// # Panics
///
/// If the router does not seal.
pub fn guarded(access: &Arc<AccessControl>) -> Router {
    let router = SecureRouter::new(Arc::clone(access), ()).get(PATH, ours);
    router.seal(&PublicRoutes::default()).expect("it seals").0
}

impl Site {
    /// A site with a new key.
    ///
    /// # Panics
    ///
    /// If the fixed parts are refused, which they are not.
    #[must_use]
    pub fn new() -> Self {
        let entropy = Arc::new(SystemEntropy);
        let clock = Arc::new(SystemClock);
        let audience: Audience = "https://cyprob.test".parse().expect("an audience");
        let secret = SecretBox::new(Box::new(entropy.bytes::<32>()));
        let key = Arc::new(SigningKey::new(RootKeyId::new(1), &secret));
        let ring = || {
            let ring = KeyRing::new([key.ring_key(Timestamp::UNIX_EPOCH)]).expect("a ring");
            LiveRing::new(ring).expect("a ring of keys")
        };
        let access = AccessControl::new(AccessParts {
            verifier: TokenVerifier::new(ring(), ring(), audience.clone(), CacheLimits::default()),
            jobs: JobVerifier::new(ring(), audience.clone()),
            roles: Arc::new(RoleCatalog::builtin()),
            org_roles: Arc::new(NoRoles),
            revocations: Arc::new(RevocationView::new(clock.clone())),
            strict: None,
            spent: None,
            issuer: CtxIssuer::for_composition(),
            clock,
            entropy: entropy.clone(),
            denials: Arc::new(NoDenials),
            connections: ConnectionLimits::default(),
        });
        let org = OrgClaims {
            id: entropy.id(SystemClock.now()),
            slug: "acme".parse().expect("a slug"),
            role: RoleName::ANALYST,
            version: None,
            member_epoch: Epoch::FIRST,
        };
        Self {
            access,
            minter: AccessMinter::new(key),
            org,
            audience,
        }
    }

    /// The token of a new person with a session of their own.
    ///
    /// # Panics
    ///
    /// If it cannot be minted.
    #[must_use]
    pub fn token(&self) -> String {
        let now = SystemClock.now();
        let claims = AccessClaims {
            id: SystemEntropy.id(now),
            user: SystemEntropy.id(now),
            org: Some(self.org.clone()),
            session: SystemEntropy.id(now),
            user_epoch: Epoch::FIRST,
            audience: self.audience.clone(),
            aal: Aal::One,
            auth_time: now,
            expires_at: now.after(Duration::from_secs(880)),
            administrator: false,
        };
        let token = at_once(self.minter.mint(&claims, &SystemEntropy)).expect("a token");
        token.expose_secret().to_owned()
    }

    /// Tokens of as many people.
    #[must_use]
    pub fn tokens(&self, count: u32) -> Vec<String> {
        (0..count).map(|_| self.token()).collect()
    }

    /// The route behind the secure router.
    ///
    /// # Panics
    ///
    /// If the router does not seal.
    pub fn router(&self) -> Router {
        guarded(&self.access)
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}
