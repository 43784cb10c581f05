//! A deployment whose clock, randomness and hasher the tests hold.

use std::any::Any;
use std::str::FromStr;
use std::sync::Arc;

use cyprob_core::adapters::memory::MemoryStore;
use cyprob_core::adapters::postgres::Component;
use cyprob_core::adapters::sqlite::{SqliteOptions, SqliteStore};
use cyprob_core::domain::audit::{Actor, AuditEvent, RequestOrigin};
use cyprob_core::domain::{
    AccountPolicy, Caller, CtxIssuer, DeploymentCtx, DeviceKeys, FactorKey, FactorKeyId,
    FactorKeys, Id, OrgCtx, OrgId, PermissionNames, Reach, RefreshKey, RefreshKeyId, RefreshKeys,
    RoleName, ServiceAccountId, SessionPolicy, UserCtx, UserId,
};
use cyprob_core::ports::store::IdentityStore;
use cyprob_core::ports::{BreachList, RoleRules};
use cyprob_core::ports::{Clock as _, EntropyExt as _};
use cyprob_core::service::{
    Accepted, Bootstrap, Credentials, FirstAdministrator, Founded, Identity, IdentityParts,
    NewAccount, NewInvitation, SignInError, SignedIn,
};
use cyprob_core::testkit::postgres::Template;
use cyprob_core::testkit::{FixedRoles, ManualClock, RecordingFeed, SeededEntropy};
use secrecy::SecretString;

use crate::hasher::TestHasher;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "a pass phrase for services";
/// A password that is not it.
pub(crate) const OTHER: &str = "quite another pass phrase";
/// The address that every stranger comes from.
pub(crate) const STRANGER: [u8; 4] = [203, 0, 113, 9];

static EMPTY: Template = Template::new(|| vec![Component::CORE]);

pub(crate) struct House {
    pub(crate) store: Arc<dyn IdentityStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) feed: Arc<RecordingFeed>,
    pub(crate) hasher: Arc<TestHasher>,
    pub(crate) identity: Arc<Identity>,
    issuer: CtxIssuer,
    entropy: Arc<SeededEntropy>,
    _home: Option<Box<dyn Any + Send + Sync>>,
}

fn key(number: u8) -> (RefreshKeyId, RefreshKey) {
    (
        RefreshKeyId::new(number.into()),
        RefreshKey::new([number; 32]),
    )
}

/// Key rings that know these keys; the first makes new tokens.
pub(crate) fn keys(numbers: &[u8]) -> RefreshKeys {
    let mut all = numbers.iter().copied().map(key);
    let (id, first) = all.next().unwrap();
    all.fold(RefreshKeys::new(id, first), |ring, (id, key)| {
        ring.with_accepted(id, key)
    })
}

/// The roles of a policy that has none but the built-in ones.
#[derive(Debug)]
struct BuiltinRoles;

impl RoleRules for BuiltinRoles {
    fn of_deployment(&self, role: &RoleName) -> Option<Reach> {
        let builtin = RoleName::BUILTIN.contains(role);
        FixedRoles.of_deployment(role).filter(|_| builtin)
    }

    fn reach(&self, permissions: &PermissionNames) -> Option<Reach> {
        FixedRoles.reach(permissions)
    }

    fn manages_members(&self, reach: Reach) -> bool {
        FixedRoles.manages_members(reach)
    }
}

/// The key that seals second factors.
fn factor_keys() -> FactorKeys {
    FactorKeys::new(FactorKeyId::new(1), FactorKey::new([3; 32]))
}

pub(crate) fn parsed<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Somebody of whom nothing is known but the address.
pub(crate) fn stranger() -> Caller {
    Caller {
        actor: Actor::Anonymous,
        origin: RequestOrigin {
            ip_address: Some(STRANGER.into()),
            user_agent: None,
        },
        request_id: None,
    }
}

pub(crate) fn credentials(email: &str, password: &str) -> Credentials {
    Credentials {
        email: email.to_owned(),
        password: password.into(),
        org: None,
        device_token: None,
        totp: None,
    }
}

impl House {
    pub(crate) fn memory() -> Self {
        Self::over(Arc::new(MemoryStore::new()), None)
    }

    pub(crate) async fn sqlite() -> Self {
        let home = tempfile::tempdir().unwrap();
        let options = SqliteOptions::default().with_readers(2);
        let store = SqliteStore::open(&home.path().join("cyprob.db"), &options).await;
        Self::over(Arc::new(store.unwrap()), Some(Box::new(home)))
    }

    pub(crate) async fn postgres() -> Self {
        let database = EMPTY.database().await;
        let store = Arc::new(database.store().await);
        Self::over(store, Some(Box::new(database)))
    }

    fn over(store: Arc<dyn IdentityStore>, home: Option<Box<dyn Any + Send + Sync>>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let feed = Arc::new(RecordingFeed::default());
        let hasher = Arc::new(TestHasher::default());
        let entropy = Arc::new(SeededEntropy::new(1));
        let identity = Arc::new(Identity::new(IdentityParts {
            store: Arc::clone(&store),
            hasher: Arc::clone(&hasher) as _,
            roles: Arc::new(FixedRoles),
            feed: Arc::clone(&feed) as _,
            clock: Arc::clone(&clock) as _,
            entropy: Arc::clone(&entropy) as _,
            refresh_keys: keys(&[1]),
            device_keys: DeviceKeys::new(1, [1; 32]),
            sessions: SessionPolicy::default(),
            breaches: None,
            policy: AccountPolicy::default(),
            factor_keys: factor_keys(),
        }));
        Self {
            store,
            clock,
            feed,
            hasher,
            identity,
            issuer: CtxIssuer::for_composition(),
            entropy,
            _home: home,
        }
    }

    /// The same deployment after a restart with these server keys.
    pub(crate) fn with_keys(&self, ring: RefreshKeys) -> Identity {
        Identity::new(self.parts(ring))
    }

    fn parts(&self, ring: RefreshKeys) -> IdentityParts {
        IdentityParts {
            store: Arc::clone(&self.store),
            hasher: Arc::clone(&self.hasher) as _,
            roles: Arc::new(FixedRoles),
            feed: Arc::clone(&self.feed) as _,
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::clone(&self.entropy) as _,
            refresh_keys: ring,
            device_keys: DeviceKeys::new(1, [1; 32]),
            sessions: SessionPolicy::default(),
            breaches: None,
            policy: AccountPolicy::default(),
            factor_keys: factor_keys(),
        }
    }

    /// The same deployment with a list of disclosed passwords.
    pub(crate) fn with_breaches(&self, list: Arc<dyn BreachList>) -> Identity {
        Identity::new(IdentityParts {
            breaches: Some(list),
            ..self.parts(keys(&[1]))
        })
    }

    /// The same deployment after a restart, or at another node.
    pub(crate) fn again(&self) -> Identity {
        self.with_keys(keys(&[1]))
    }

    /// At another node, whose policy has no role of the deployment's own.
    pub(crate) fn without_policy(&self) -> Identity {
        Identity::new(IdentityParts {
            roles: Arc::new(BuiltinRoles),
            ..self.parts(keys(&[1]))
        })
    }

    pub(crate) fn first() -> FirstAdministrator {
        FirstAdministrator {
            email: parsed("ada@example.com"),
            password: PASSWORD.into(),
            name: parsed("Ada"),
            org_slug: parsed("acme"),
            org_name: parsed("Acme"),
        }
    }

    pub(crate) async fn armed(&self) -> SecretString {
        match self.identity.arm_bootstrap().await.unwrap() {
            Bootstrap::Open(token) => token,
            Bootstrap::Closed => panic!("the door is closed"),
        }
    }

    /// `ada@example.com`, who administers the deployment and owns `acme`.
    pub(crate) async fn found(&self) -> Founded {
        let token = self.armed().await;
        let founded = self
            .identity
            .bootstrap(&token, Self::first(), &stranger())
            .await;
        founded.unwrap()
    }

    pub(crate) async fn try_sign_in(
        &self,
        email: &str,
        password: &str,
    ) -> Result<SignedIn, SignInError> {
        let credentials = credentials(email, password);
        self.identity.sign_in(credentials, &stranger()).await
    }

    pub(crate) async fn sign_in(&self, email: &str) -> SignedIn {
        self.try_sign_in(email, PASSWORD).await.unwrap()
    }

    fn caller(user: UserId) -> Caller {
        Caller {
            actor: Actor::User {
                id: user,
                session: None,
                token: None,
            },
            ..stranger()
        }
    }

    pub(crate) fn user(&self, who: &SignedIn) -> UserCtx {
        let caller = Self::caller(who.user.id);
        self.issuer.user(who.user.id, who.session.id, caller)
    }

    pub(crate) fn org(&self, org: OrgId, user: UserId, role: RoleName) -> OrgCtx {
        self.issuer.org(org, role, Self::caller(user))
    }

    pub(crate) fn org_as(&self, org: OrgId, role: RoleName, caller: Caller) -> OrgCtx {
        self.issuer.org(org, role, caller)
    }

    /// In an organization, by a session of one's own.
    pub(crate) fn org_of(&self, who: &SignedIn, org: OrgId, role: RoleName) -> OrgCtx {
        let mut caller = Self::caller(who.user.id);
        caller.actor = Actor::User {
            id: who.user.id,
            session: Some(who.session.id),
            token: None,
        };
        self.issuer.org(org, role, caller)
    }

    /// The same with a token that reaches this far.
    pub(crate) fn within(&self, org: OrgId, user: UserId, role: RoleName, reach: Reach) -> OrgCtx {
        self.issuer.org_within(org, role, reach, Self::caller(user))
    }

    /// A service account that acts in its role, for which the same person answers as acts in `by`.
    pub(crate) fn service(
        &self,
        org: OrgId,
        id: ServiceAccountId,
        role: RoleName,
        by: &OrgCtx,
    ) -> OrgCtx {
        let caller = Caller {
            actor: Actor::Service {
                id,
                key: self.id(),
                token: None,
                on_behalf_of: by.caller().actor.user().unwrap(),
            },
            ..stranger()
        };
        self.issuer.org(org, role, caller)
    }

    /// An id that nothing has.
    pub(crate) fn id<I: Id>(&self) -> I {
        self.entropy.id(self.clock.now())
    }

    pub(crate) fn deployment(&self, user: UserId) -> DeploymentCtx {
        self.issuer.deployment(Self::caller(user))
    }

    pub(crate) async fn invite(&self, by: &OrgCtx, email: &str, role: RoleName) -> NewInvitation {
        let invited = self.identity.invite(by, parsed(email), role).await;
        invited.unwrap()
    }

    pub(crate) fn account() -> Option<NewAccount> {
        Some(NewAccount {
            name: parsed("Somebody"),
            password: PASSWORD.into(),
        })
    }

    /// A new person in an organization.
    pub(crate) async fn member(&self, by: &OrgCtx, email: &str, role: RoleName) -> Accepted {
        let invited = self.invite(by, email, role).await;
        let accepted = self
            .identity
            .accept_as_new(&invited.token, Self::account(), &stranger())
            .await;
        accepted.unwrap()
    }

    /// Takes out the events since the last call, in order.
    pub(crate) async fn events(&self) -> Vec<AuditEvent> {
        let events = self.store.pending(10_000).await.unwrap();
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        self.store.discard(&ids).await.unwrap();
        events
    }
}
