//! Where organizations keep their secrets.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::ports::store::IdentityStore;
use cyprob_core::ports::{Clock, Entropy};
use cyprob_secrets::domain::{Keeping, OrgSecretBase};
use cyprob_secrets::ports::SecretStore;
use cyprob_secrets::service::{OrgSecretLimits, OrgSecrets, OrgSecretsParts};

use super::ControlPlaneBuilder;

/// How long a value is served without a look at the store, where nobody says otherwise.
const FRESH: Duration = Duration::from_secs(10);

/// A store for the secrets of organizations, below a base of its own.
#[derive(Clone, Debug)]
pub struct OrgSecretStore {
    store: Arc<dyn SecretStore>,
    base: OrgSecretBase,
    keeping: Keeping,
    limits: OrgSecretLimits,
}

impl OrgSecretStore {
    /// A store that every process of the deployment shares, and the base that nothing else in it is below.
    #[must_use]
    pub fn new(store: Arc<dyn SecretStore>, base: OrgSecretBase) -> Self {
        let keeping = Keeping::new(FRESH, Keeping::DEFAULT.stale()).unwrap_or_default();
        Self {
            store,
            base,
            keeping,
            limits: OrgSecretLimits::default(),
        }
    }

    /// Sets how long a value is served from memory; ten seconds fresh by default.
    ///
    /// A change is seen at once by the process that makes it, and by others when
    /// what they have is not fresh any more.
    #[must_use]
    pub const fn keeping(mut self, keeping: Keeping) -> Self {
        self.keeping = keeping;
        self
    }

    /// Sets how much an organization may keep; 200 secrets of ten versions by default.
    #[must_use]
    pub const fn limits(mut self, limits: OrgSecretLimits) -> Self {
        self.limits = limits;
        self
    }

    pub(super) fn service(
        self,
        database: &Arc<dyn IdentityStore>,
        clock: &Arc<dyn Clock>,
        entropy: &Arc<dyn Entropy>,
    ) -> OrgSecrets {
        OrgSecrets::new(OrgSecretsParts {
            store: self.store,
            base: self.base,
            outbox: Arc::clone(database) as _,
            keeping: self.keeping,
            limits: self.limits,
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
        })
    }
}

impl<State> ControlPlaneBuilder<State> {
    /// Sets where organizations keep their secrets; without it they can keep none.
    #[must_use]
    pub fn secrets(mut self, store: OrgSecretStore) -> Self {
        self.options.secrets = Some(store);
        self
    }
}
