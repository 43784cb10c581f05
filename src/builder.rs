//! Composing a control plane: store, then keys, then what has a default.

mod limits;
mod secrets;

use std::sync::Arc;
use std::time::Duration;

use cyprob_audit::domain::Origins;
use cyprob_audit::ports::EventSink;
use cyprob_authz::domain::{Audience, RoleCatalog};
use cyprob_authz::service::{
    AccessControl, AccessParts, CacheLimits, ConnectionLimits, KeyOperations, KeyRings,
    KeyRingsError, RevocationView,
};
use cyprob_core::adapters::argon2::{Argon2Options, Argon2Pool};
use cyprob_core::adapters::notifier::LogNotifier;
use cyprob_core::adapters::system::{SystemClock, SystemEntropy};
use cyprob_core::domain::{
    AccountPolicy, CtxIssuer, DeviceKeys, FactorKey, FactorKeyId, FactorKeys, RefreshKey,
    RefreshKeyId, RefreshKeys, SessionPolicy,
};
use cyprob_core::ports::store::StoreError;
use cyprob_core::ports::{
    BreachList, Clock, Entropy, Notifier, PasswordHasher, RevocationFeed, RoleRules,
};
use cyprob_core::service::{Identity, IdentityParts};
use cyprob_plugins::adapters::worker::{ProcessWorkers, WorkerCommand};
use cyprob_plugins::ports::Workers;
use tokio::sync::watch;

use crate::Stores;
use crate::audit_log::Audit;
use crate::check_mode::CheckMode;
use crate::control_plane::{ControlPlane, Parts};
use crate::keys::Recording;
use crate::plugin_runs::PluginRuns;
use crate::wiring::{DeploymentKeys, OutboxDenials, SealedJobs, StoredRoles};

pub use self::secrets::OrgSecretStore;

/// A control plane cannot be composed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The keys that sign tokens cannot be had.
    #[error("the keys that sign tokens cannot be used")]
    TokenKeys(#[from] KeyRingsError),
    /// The system gives no threads for password hashing.
    #[error("no threads for password hashing")]
    HashPool(#[source] std::io::Error),
    /// The deployment's name cannot name its logs.
    #[error(
        "{0} cannot name audit logs: at most 192 printable characters without spaces, plus signs or a slash at the end"
    )]
    Name(Audience),
    /// The stored revocations cannot be read, so no token can be trusted.
    #[error("the stored revocations cannot be read")]
    Revocations(#[source] StoreError),
}

/// The builder still needs a store.
#[derive(Debug)]
pub struct NeedsStore(());

/// The builder still needs keys.
#[derive(Debug)]
pub struct NeedsKeys(Stores);

/// The builder has what it needs.
#[derive(Debug)]
pub struct Ready {
    stores: Stores,
    keys: DeploymentKeys,
}

/// How old what a node knows of the revocations of others may be.
const FEED_BOUND: Duration = Duration::from_secs(5);

/// Composes a [`ControlPlane`]; required parts change the builder's type, the others have defaults.
#[derive(Debug)]
pub struct ControlPlaneBuilder<State> {
    state: State,
    options: Options,
}

#[derive(Debug)]
struct Options {
    audience: Option<Audience>,
    hasher: Option<Arc<dyn PasswordHasher>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    sessions: SessionPolicy,
    policy: AccountPolicy,
    breaches: Option<Arc<dyn BreachList>>,
    token_cache: CacheLimits,
    connections: ConnectionLimits,
    workers: Option<Arc<dyn Workers>>,
    audit_sinks: Vec<Arc<dyn EventSink>>,
    check: CheckMode,
    notifier: Arc<dyn Notifier>,
    roles: RoleCatalog,
    secrets: Option<OrgSecretStore>,
}

impl ControlPlane {
    /// Starts composing.
    #[must_use]
    pub fn builder() -> ControlPlaneBuilder<NeedsStore> {
        ControlPlaneBuilder {
            state: NeedsStore(()),
            options: Options {
                audience: None,
                hasher: None,
                clock: Arc::new(SystemClock),
                entropy: Arc::new(SystemEntropy),
                sessions: SessionPolicy::default(),
                policy: AccountPolicy::default(),
                breaches: None,
                token_cache: CacheLimits::default(),
                connections: ConnectionLimits::default(),
                workers: None,
                audit_sinks: Vec::new(),
                check: CheckMode::default(),
                notifier: Arc::new(LogNotifier),
                roles: RoleCatalog::builtin(),
                secrets: None,
            },
        }
    }
}

impl ControlPlaneBuilder<NeedsStore> {
    /// Sets where everything is kept.
    #[must_use]
    pub fn stores(self, stores: Stores) -> ControlPlaneBuilder<NeedsKeys> {
        ControlPlaneBuilder {
            state: NeedsKeys(stores),
            options: self.options,
        }
    }
}

impl ControlPlaneBuilder<NeedsKeys> {
    /// Sets the deployment's keys.
    #[must_use]
    pub fn keys(self, keys: DeploymentKeys) -> ControlPlaneBuilder<Ready> {
        let state = Ready {
            stores: self.state.0,
            keys,
        };
        ControlPlaneBuilder {
            state,
            options: self.options,
        }
    }
}

impl<State> ControlPlaneBuilder<State> {
    /// Sets the deployment's name, which tokens are for and logs begin with; `cyprob` by default.
    ///
    /// Choose it before the first start: another name begins other logs, and no earlier token is good.
    #[must_use]
    pub fn audience(mut self, audience: Audience) -> Self {
        self.options.audience = Some(audience);
        self
    }

    /// Sets the password hasher; argon2id on as many threads as there are cores by default.
    #[must_use]
    pub fn hasher(mut self, hasher: Arc<dyn PasswordHasher>) -> Self {
        self.options.hasher = Some(hasher);
        self
    }

    /// Sets the clock; the machine's by default.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.options.clock = clock;
        self
    }

    /// Sets the random source; the kernel's by default.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.options.entropy = entropy;
        self
    }

    /// Sets how long sessions and tokens live.
    #[must_use]
    pub const fn sessions(mut self, policy: SessionPolicy) -> Self {
        self.options.sessions = policy;
        self
    }

    /// Sets what is asked of accounts: passwords, throttling, recovery, second factors, keys of services.
    #[must_use]
    pub fn account_policy(mut self, policy: AccountPolicy) -> Self {
        self.options.policy = policy;
        self
    }

    /// Sets a list of disclosed passwords, none of which is accepted; without it none is looked up.
    #[must_use]
    pub fn breached_passwords(mut self, list: Arc<dyn BreachList>) -> Self {
        self.options.breaches = Some(list);
        self
    }

    /// Sets the program that is started for each job of a run; it calls [`run_worker`](crate::run_worker).
    ///
    /// Without workers, runs wait in the queue.
    #[must_use]
    pub fn worker_command(self, command: WorkerCommand) -> Self {
        self.workers(Arc::new(ProcessWorkers::new(command)))
    }

    /// Sets workers of another kind.
    #[must_use]
    pub fn workers(mut self, workers: Arc<dyn Workers>) -> Self {
        self.options.workers = Some(workers);
        self
    }

    /// Adds a sink that every event is delivered to, beside the logs; it keeps its own place.
    #[must_use]
    pub fn audit_sink(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.options.audit_sinks.push(sink);
        self
    }

    /// Sets how it is known whether a token was revoked; from memory by default.
    #[must_use]
    pub const fn check(mut self, mode: CheckMode) -> Self {
        self.options.check = mode;
        self
    }

    /// Sets what carries messages to people; the log, which shows them to nobody, by default.
    #[must_use]
    pub fn notifier(mut self, notifier: Arc<dyn Notifier>) -> Self {
        self.options.notifier = notifier;
        self
    }

    /// Sets the roles for members of every organization, the built-in ones by default; one that
    /// an organization defined itself by such a name comes first there.
    #[must_use]
    pub fn roles(mut self, catalog: RoleCatalog) -> Self {
        self.options.roles = catalog;
        self
    }
}

impl ControlPlaneBuilder<Ready> {
    /// Composes the control plane and reads the revocations that are still in force.
    ///
    /// # Errors
    ///
    /// [`BuildError`]; nothing runs then.
    pub async fn build(self) -> Result<ControlPlane, BuildError> {
        let Ready { stores, keys } = self.state;
        let store = Arc::clone(&stores.identity);
        let Options {
            audience,
            hasher,
            clock,
            entropy,
            sessions,
            mut policy,
            breaches,
            token_cache,
            connections,
            workers,
            audit_sinks,
            check,
            notifier,
            roles,
            secrets,
        } = self.options;
        let audience = audience.unwrap_or_else(default_audience);
        // What a guesser tries first names the product and the deployment.
        policy.passwords = policy
            .passwords
            .with_context("cyprob")
            .with_context(&audience.to_string());
        let hasher = match hasher {
            Some(hasher) => hasher,
            None => {
                let pool = Argon2Pool::start(Argon2Options::default(), Arc::clone(&entropy));
                Arc::new(pool.map_err(BuildError::HashPool)?)
            }
        };
        let roles = Arc::new(roles);
        let mut revocations = RevocationView::new(Arc::clone(&clock));
        let others = stores.others.clone().filter(|_| check == CheckMode::Feed);
        if others.is_some() {
            revocations = revocations.with_bound(FEED_BOUND);
        }
        let revocations = Arc::new(revocations);
        let refresh_id = RefreshKeyId::new(keys.refresh_token.id());
        let refresh_key = RefreshKey::new(keys.refresh_token.bytes());
        let factor_id = FactorKeyId::new(keys.second_factor.id());
        let factor_key = FactorKey::new(keys.second_factor.bytes());
        let identity = Identity::new(IdentityParts {
            store: Arc::clone(&store),
            hasher,
            roles: Arc::clone(&roles) as Arc<dyn RoleRules>,
            feed: Arc::clone(&revocations) as Arc<dyn RevocationFeed>,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            refresh_keys: RefreshKeys::new(refresh_id, refresh_key),
            device_keys: DeviceKeys::new(keys.device_token.id(), keys.device_token.bytes()),
            sessions,
            breaches,
            policy,
            factor_keys: FactorKeys::new(factor_id, factor_key),
        });
        let operations = KeyOperations::new(keys.token_keys, Arc::clone(&entropy));
        let key_rings = KeyRings::load(operations, clock.now()).await?;
        let job_verifier = key_rings.job_verifier(audience.clone());
        let access = AccessControl::new(AccessParts {
            verifier: key_rings.token_verifier(audience.clone(), token_cache),
            jobs: job_verifier.clone(),
            roles,
            org_roles: Arc::new(StoredRoles(Arc::clone(&store))),
            revocations: Arc::clone(&revocations),
            strict: (check == CheckMode::Strict).then(|| Arc::clone(&store)),
            spent: stores.spent.clone(),
            issuer: CtxIssuer::for_composition(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            denials: Arc::new(OutboxDenials(Arc::clone(&store))),
            connections,
        });
        let job_tokens = SealedJobs {
            minter: key_rings.job_minter(),
            verifier: job_verifier,
            audience: audience.clone(),
            entropy: Arc::clone(&entropy),
        };
        let plugin_runs = PluginRuns::new(
            stores.clone(),
            Arc::new(job_tokens),
            workers,
            Arc::clone(&clock),
            Arc::clone(&entropy),
        );
        let origins = Origins::new(&audience.to_string());
        let origins = origins.map_err(|_| BuildError::Name(audience.clone()))?;
        let audit = Audit::new(
            &stores,
            Arc::clone(&clock),
            origins,
            keys.audit_log.secret(),
            audit_sinks,
        );
        identity
            .restore_revocations()
            .await
            .map_err(BuildError::Revocations)?;
        let secrets = secrets.map(|secrets| secrets.service(&store, &clock, &entropy));
        Ok(ControlPlane::new(Parts {
            identity,
            access,
            minter: key_rings.access_minter(),
            services: key_rings.service_minter(),
            audience,
            revocations,
            store,
            clock,
            entropy,
            bootstrapped: watch::Sender::new(false),
            audit,
            leadership: stores.leadership,
            journal: stores.journal,
            others,
            plugin_runs,
            notifier,
            key_rings,
            recording: Recording::default(),
            secrets,
        }))
    }
}

fn default_audience() -> Audience {
    #[expect(
        clippy::expect_used,
        reason = "the text is a constant that a test reads"
    )]
    "cyprob".parse().expect("a plain name is an audience")
}
