//! Our side: the request check as a deployment has it, and a key to mint tokens with.
//!
//! From a token's text to the proof for the tenant's data: the time is read, the
//! token authenticated (memory, or shape and signatures; key, times, revocation)
//! and the route's demand decided. What HTTP needs around it is left out, as it
//! is for the peers.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use cyprob::authz::adapters::SigningKey;
use cyprob::authz::domain::{
    AccessClaims, Audience, Claims, Demand, KeyRing, Narrowing, Need, OrgClaims, Principal,
    RoleCatalog, RootKeyId,
};
use cyprob::authz::ports::{DenialRecorder, RecordError, RoleSource, RoleSourceError};
use cyprob::authz::service::{
    AccessControl, AccessMinter, AccessParts, CacheLimits, ConnectionLimits, JobVerifier, LiveRing,
    RevocationView, TokenVerifier, attenuate,
};
use cyprob::core::adapters::system::{SystemClock, SystemEntropy};
use cyprob::core::domain::audit::{Actor, AuditEvent};
use cyprob::core::domain::{
    Aal, Caller, CtxIssuer, CustomRole, Epoch, OrgCtx, RoleId, RoleName, Timestamp,
};
use cyprob::core::ports::{Clock as _, EntropyExt as _};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};

use crate::question::{Permission, Question};

/// The answer of what waits for nothing here: a local key, a built-in role.
fn at_once<T>(answer: impl Future<Output = T>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("nothing is waited for"),
    }
}

/// Nothing is recorded: what is refused is refused before anything is timed.
#[derive(Debug)]
struct NoDenials;

#[async_trait]
impl DenialRecorder for NoDenials {
    async fn record(&self, _: AuditEvent) -> Result<(), RecordError> {
        Ok(())
    }
}

/// No organization defined a role.
#[derive(Debug)]
struct NoRoles;

#[async_trait]
impl RoleSource for NoRoles {
    async fn role(&self, _: &OrgCtx, _: RoleId) -> Result<Option<CustomRole>, RoleSourceError> {
        Ok(None)
    }
}

/// The request check and a minter of its tokens.
#[derive(Debug)]
pub(crate) struct Ours {
    access: Arc<AccessControl>,
    minter: AccessMinter,
    org: OrgClaims,
    audience: Audience,
    public: [u8; 32],
}

impl Ours {
    /// A check with a new key.
    pub(crate) fn new() -> Self {
        let entropy = Arc::new(SystemEntropy);
        let clock = Arc::new(SystemClock);
        let audience: Audience = "https://cyprob.test".parse().expect("an audience");
        let secret = SecretBox::new(Box::new(entropy.bytes::<32>()));
        let key = Arc::new(SigningKey::new(RootKeyId::new(1), &secret));
        let ring_key = key.ring_key(Timestamp::UNIX_EPOCH);
        let public = ring_key.public;
        let ring = || {
            let ring = KeyRing::new([ring_key.clone()]).expect("a ring");
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
            public,
        }
    }

    /// The public key of its tokens.
    pub(crate) const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The token of another person with a session of their own.
    pub(crate) fn token(&self) -> String {
        self.mint().expose_secret().to_owned()
    }

    /// The same, narrowed by its holder to reading runs: a token of two blocks.
    pub(crate) fn narrowed(&self) -> String {
        let reads = Narrowing::Permissions(vec![Permission::RunsRead.as_str().to_owned()]);
        let narrowed = attenuate(&self.mint(), &[reads], &SystemEntropy).expect("narrower");
        narrowed.expose_secret().to_owned()
    }

    fn mint(&self) -> SecretString {
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
        at_once(self.minter.mint(&claims, &SystemEntropy)).expect("a token")
    }

    /// Authenticates a token and decides.
    pub(crate) fn permits(&self, token: &str, question: Question) -> bool {
        let at = self.access.now();
        let principal = self.access.authenticate(token, at);
        principal.is_ok_and(|principal| self.admits(&principal, question, at))
    }

    /// The same by the way that the router takes, which may wait for an organization's own role.
    pub(crate) fn identifies_and_permits(&self, token: &str, question: Question) -> bool {
        let at = self.access.now();
        let principal = at_once(self.access.identify(token, at));
        principal.is_ok_and(|principal| self.admits(&principal, question, at))
    }

    fn admits(&self, principal: &Principal, question: Question, at: Timestamp) -> bool {
        let need = match question.permission {
            Permission::RunsRead => cyprob::authz::domain::Permission::RunsRead,
            Permission::OrgWrite => cyprob::authz::domain::Permission::OrgWrite,
        };
        let Claims::Person(claims) = principal.claims() else {
            return false;
        };
        let demand = Demand {
            need: Need::Org(need),
            step_up: false,
            org: Some(question.org),
            resources: &[],
            address: None,
            at,
            used: None,
        };
        let caller = Caller {
            actor: Actor::User {
                id: claims.user,
                session: Some(claims.session),
                token: Some(claims.id),
            },
            origin: Default::default(),
            request_id: None,
        };
        let proof = self.access.admit_org(principal, &demand, caller);
        std::hint::black_box(proof).is_ok()
    }
}
