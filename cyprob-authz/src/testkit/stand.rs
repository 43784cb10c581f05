//! A request check with everything in memory, and tokens for it.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::adapters::memory::MemorySpent;
use cyprob_core::domain::{
    Aal, CtxIssuer, CustomRole, Epoch, OrgId, OrgSlug, RoleName, RoleVersion, RunId, Timestamp,
    UserId,
};
use cyprob_core::ports::store::SpentStore;
use cyprob_core::ports::{Clock as _, EntropyExt as _};
use cyprob_core::testkit::{ManualClock, SeededEntropy};
use secrecy::{ExposeSecret as _, SecretBox};

use super::at_once;
use super::denials::MemoryDenials;
use super::roles::MemoryRoles;
use crate::adapters::SigningKey;
use crate::domain::{
    AccessClaims, Audience, JobClaims, KeyRing, OrgClaims, RoleCatalog, RootKeyId, RuleSetDigest,
    ServiceClaims,
};
use crate::ports::DenialRecorder;
use crate::service::{
    AccessControl, AccessMinter, AccessParts, CacheLimits, ConnectionLimits, JobMinter,
    JobVerifier, LiveRing, RevocationView, ServiceMinter, TokenVerifier,
};

/// The audience of a stand's tokens.
pub const AUDIENCE: &str = "https://cyprob.test";

/// A request check in memory: a clock that is moved by hand, seeded randomness, recorded refusals.
#[derive(Debug)]
pub struct Stand {
    /// The check.
    pub access: Arc<AccessControl>,
    /// Mints people's tokens.
    pub minter: AccessMinter,
    /// Mints service accounts' tokens.
    pub services: ServiceMinter,
    /// The roles that organizations defined.
    pub roles: Arc<MemoryRoles>,
    /// Mints workers' tokens.
    pub jobs: JobMinter,
    /// The key of people's tokens.
    pub key: Arc<SigningKey>,
    /// The key of service accounts' tokens.
    pub service_key: Arc<SigningKey>,
    /// The clock.
    pub clock: Arc<ManualClock>,
    /// The randomness.
    pub entropy: Arc<SeededEntropy>,
    /// What is revoked.
    pub revocations: Arc<RevocationView>,
    /// Which uses are spent; stays empty with a store of your own, and without any.
    pub spent: Arc<MemorySpent>,
    /// What was refused; stays empty with a recorder of your own.
    pub denials: Arc<MemoryDenials>,
    /// The audience of its tokens.
    pub audience: Audience,
}

/// What a stand takes in place of its own.
#[derive(Default)]
struct Given {
    denials: Option<Arc<dyn DenialRecorder>>,
    spent: Option<Option<Arc<dyn SpentStore>>>,
}

impl Stand {
    /// A stand of a seed.
    ///
    /// # Panics
    ///
    /// If the fixed keys cannot be used, which no seed brings about.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_roles(seed, RoleCatalog::builtin())
    }

    /// A stand whose deployment has these roles.
    ///
    /// # Panics
    ///
    /// As [`Stand::new`].
    #[must_use]
    pub fn with_roles(seed: u64, roles: RoleCatalog) -> Self {
        Self::build(seed, roles, Given::default(), |view| view)
    }

    /// A stand that asks another store which uses are spent, or none.
    ///
    /// # Panics
    ///
    /// As [`Stand::new`].
    #[must_use]
    pub fn with_spent(seed: u64, spent: Option<Arc<dyn SpentStore>>) -> Self {
        let given = Given {
            spent: Some(spent),
            ..Given::default()
        };
        Self::build(seed, RoleCatalog::builtin(), given, |view| view)
    }

    /// A stand whose revocations may be so old.
    ///
    /// # Panics
    ///
    /// As [`Stand::new`].
    #[must_use]
    pub fn with_bound(seed: u64, bound: Duration) -> Self {
        Self::build(seed, RoleCatalog::builtin(), Given::default(), |view| {
            view.with_bound(bound)
        })
    }

    /// A stand that records refusals elsewhere.
    ///
    /// # Panics
    ///
    /// As [`Stand::new`].
    #[must_use]
    pub fn with_denials(seed: u64, denials: Arc<dyn DenialRecorder>) -> Self {
        let given = Given {
            denials: Some(denials),
            ..Given::default()
        };
        Self::build(seed, RoleCatalog::builtin(), given, |view| view)
    }

    fn build(
        seed: u64,
        catalog: RoleCatalog,
        given: Given,
        bounded: impl FnOnce(RevocationView) -> RevocationView,
    ) -> Self {
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(seed));
        let denials = Arc::new(MemoryDenials::default());
        let spent = Arc::new(MemorySpent::default());
        let audience: Audience = AUDIENCE.parse().expect("an audience");
        let key = |id| {
            let secret = SecretBox::new(Box::new(entropy.bytes::<32>()));
            Arc::new(SigningKey::new(RootKeyId::new(id), &secret))
        };
        let ring = |key: &SigningKey| {
            let ring = KeyRing::new([key.ring_key(Timestamp::UNIX_EPOCH)]).expect("a ring");
            LiveRing::new(ring).expect("a ring of keys")
        };
        let (user_key, worker_key, service_key) = (key(1), key(1), key(1));
        let roles = Arc::new(MemoryRoles::default());
        let revocations = Arc::new(bounded(RevocationView::new(clock.clone())));
        let access = AccessControl::new(AccessParts {
            verifier: TokenVerifier::new(
                ring(&user_key),
                ring(&service_key),
                audience.clone(),
                CacheLimits::default(),
            ),
            jobs: JobVerifier::new(ring(&worker_key), audience.clone()),
            roles: Arc::new(catalog),
            org_roles: Arc::clone(&roles) as _,
            revocations: Arc::clone(&revocations),
            strict: None,
            spent: given.spent.unwrap_or_else(|| Some(spent.clone())),
            issuer: CtxIssuer::for_composition(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            denials: given.denials.unwrap_or_else(|| denials.clone()),
            connections: ConnectionLimits::default(),
        });
        Self {
            access,
            minter: AccessMinter::new(Arc::clone(&user_key)),
            services: ServiceMinter::new(Arc::clone(&service_key)),
            roles,
            jobs: JobMinter::new(worker_key),
            key: user_key,
            service_key,
            clock,
            entropy,
            revocations,
            spent,
            denials,
            audience,
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An organization that a token may be for.
    #[must_use]
    pub fn org(&self, slug: &str, role: RoleName) -> OrgClaims {
        OrgClaims {
            id: self.entropy.id::<OrgId>(self.now()),
            slug: slug.parse::<OrgSlug>().expect("a slug"),
            role,
            version: None,
            member_epoch: Epoch::FIRST,
        }
    }

    /// A role that an organization defined, as it is in force.
    ///
    /// # Panics
    ///
    /// If it permits nothing.
    #[must_use]
    pub fn define(&self, name: &str, permissions: &str) -> CustomRole {
        let now = self.now();
        let role = CustomRole {
            version: RoleVersion {
                id: self.entropy.id(now),
                epoch: Epoch::FIRST,
            },
            name: name.parse().expect("a role's name"),
            permissions: permissions.parse().expect("permissions"),
            created_at: now,
            updated_at: now,
        };
        self.roles.put(role.clone());
        role
    }

    /// Claims of a new service account in an organization.
    #[must_use]
    pub fn service(&self, org: OrgClaims) -> ServiceClaims {
        let now = self.now();
        ServiceClaims {
            id: self.entropy.id(now),
            account: self.entropy.id(now),
            key: self.entropy.id(now),
            on_behalf_of: self.entropy.id(now),
            org,
            audience: self.audience.clone(),
            expires_at: now.after(Duration::from_secs(300)),
        }
    }

    /// The text of a service account's token.
    ///
    /// # Panics
    ///
    /// If the claims cannot be minted.
    #[must_use]
    pub fn mint_service(&self, claims: &ServiceClaims) -> String {
        let minted = self.services.mint(claims, &*self.entropy);
        let token = at_once(minted).expect("a token");
        token.expose_secret().to_owned()
    }

    /// Claims of a new person with a new session: five minutes from now, one factor, shown just now.
    #[must_use]
    pub fn claims(&self, org: Option<OrgClaims>) -> AccessClaims {
        let now = self.now();
        AccessClaims {
            id: self.entropy.id(now),
            user: self.entropy.id::<UserId>(now),
            org,
            session: self.entropy.id(now),
            user_epoch: Epoch::FIRST,
            audience: self.audience.clone(),
            aal: Aal::One,
            auth_time: now,
            expires_at: now.after(Duration::from_secs(300)),
            administrator: false,
        }
    }

    /// The text of a token.
    ///
    /// # Panics
    ///
    /// If the claims cannot be minted.
    #[must_use]
    pub fn mint(&self, claims: &AccessClaims) -> String {
        let minted = self.minter.mint(claims, &*self.entropy);
        let token = at_once(minted).expect("a token");
        token.expose_secret().to_owned()
    }

    /// The text of a token for a role in an organization.
    #[must_use]
    pub fn token(&self, slug: &str, role: RoleName) -> String {
        self.mint(&self.claims(Some(self.org(slug, role))))
    }

    /// Claims of a job.
    #[must_use]
    pub fn job(&self) -> JobClaims {
        let now = self.now();
        JobClaims {
            id: self.entropy.id(now),
            run: self.entropy.id::<RunId>(now),
            fence: 1,
            rule_set: RuleSetDigest::new([7; 32]),
            org: self.entropy.id(now),
            on_behalf_of: self.entropy.id(now),
            audience: self.audience.clone(),
            deadline: now.after(Duration::from_secs(60)),
        }
    }

    /// The text of a job's token.
    ///
    /// # Panics
    ///
    /// If the claims cannot be minted.
    #[must_use]
    pub fn mint_job(&self, claims: &JobClaims) -> String {
        let minted = self.jobs.mint(claims, &*self.entropy);
        let token = at_once(minted).expect("a token");
        token.expose_secret().to_owned()
    }
}
