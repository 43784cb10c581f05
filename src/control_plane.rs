//! The composed control plane.

use std::sync::Arc;

use cyprob_audit::domain::LogId;
use cyprob_audit::service::AuditTrail;
use cyprob_authz::domain::{
    AccessClaims, Audience, KeyPurpose, OrgClaims, PublishedKey, ServiceClaims,
};
use cyprob_authz::service::{
    AccessControl, AccessMinter, KeyRings, MintError, RevocationView, ServiceMinter,
};
use cyprob_core::domain::audit::{Action, AuditEvent, Resource};
use cyprob_core::domain::{Caller, KeyHolder, OrgId, Session, Timestamp, User};
use cyprob_core::ports::store::{IdentityStore, StoreError};
use cyprob_core::ports::{Clock, Entropy, EntropyExt, Leadership, Notifier, RevocationSource};
use cyprob_core::service::{Identity, Scope, ServiceGrant};
use cyprob_plugins::service::runs::{PluginLibrary, RunRequests};
use cyprob_secrets::service::OrgSecrets;
use secrecy::SecretString;
use tokio::sync::watch;

use crate::OperatorJournal;
use crate::audit_log::Audit;
use crate::keys::Recording;
use crate::plugin_runs::PluginRuns;

/// A running control plane: all services over one store and one set of keys. Clones share it.
#[derive(Clone, Debug)]
pub struct ControlPlane(Arc<Parts>);

/// What a control plane is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) identity: Identity,
    pub(crate) access: Arc<AccessControl>,
    pub(crate) minter: AccessMinter,
    pub(crate) services: ServiceMinter,
    pub(crate) audience: Audience,
    pub(crate) revocations: Arc<RevocationView>,
    pub(crate) store: Arc<dyn IdentityStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) bootstrapped: watch::Sender<bool>,
    pub(crate) audit: Audit,
    pub(crate) leadership: Arc<dyn Leadership>,
    pub(crate) journal: Option<OperatorJournal>,
    pub(crate) others: Option<Arc<dyn RevocationSource>>,
    pub(crate) plugin_runs: PluginRuns,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) key_rings: KeyRings,
    pub(crate) recording: Recording,
    pub(crate) secrets: Option<OrgSecrets>,
}

impl ControlPlane {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The identity services.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// The request check, for a [`SecureRouter`](cyprob_authz) of the host's own.
    #[must_use]
    pub fn access(&self) -> &Arc<AccessControl> {
        &self.0.access
    }

    /// The name that tokens of this deployment are for.
    #[must_use]
    pub fn audience(&self) -> &Audience {
        &self.0.audience
    }

    /// The public keys that access tokens verify with.
    #[must_use]
    pub fn token_keys(&self) -> Vec<PublishedKey> {
        self.published(KeyPurpose::User)
    }

    /// The public keys that access tokens of service accounts verify with.
    #[must_use]
    pub fn service_token_keys(&self) -> Vec<PublishedKey> {
        self.published(KeyPurpose::Service)
    }

    fn published(&self, purpose: KeyPurpose) -> Vec<PublishedKey> {
        let ring = self.0.key_rings.plan(purpose).ring(self.0.clock.now());
        ring.map(|ring| ring.published()).unwrap_or_default()
    }

    /// The rings of keys that sign tokens, to look at, rotate and revoke them.
    ///
    /// [`start`](Self::start) keeps them up to date; the event of a change is in
    /// the trail once a process of the deployment runs.
    #[must_use]
    pub fn key_rings(&self) -> &KeyRings {
        &self.0.key_rings
    }

    /// Waits until a person's token can be minted: asked before a change that one must follow.
    ///
    /// # Errors
    ///
    /// [`MintError`] if none can be minted now.
    pub async fn ready_to_mint(&self) -> Result<(), MintError> {
        self.0.minter.ready(self.0.clock.now()).await
    }

    /// The same for a service account's token.
    ///
    /// # Errors
    ///
    /// [`MintError`] if none can be minted now.
    pub async fn ready_to_mint_service(&self) -> Result<(), MintError> {
        self.0.services.ready(self.0.clock.now()).await
    }

    /// Turns true when the first administrator was made.
    #[must_use]
    pub fn bootstrapped(&self) -> watch::Receiver<bool> {
        self.0.bootstrapped.subscribe()
    }

    pub(crate) fn is_bootstrapped(&self) -> bool {
        *self.0.bootstrapped.borrow()
    }

    pub(crate) fn mark_bootstrapped(&self) {
        self.0.bootstrapped.send_replace(true);
    }

    /// The audit logs, for readers.
    #[must_use]
    pub fn trail(&self) -> &AuditTrail {
        self.0.audit.trail()
    }

    /// The plugins of organizations.
    #[must_use]
    pub fn plugins(&self) -> &PluginLibrary {
        &self.0.plugin_runs.library
    }

    /// The runs of organizations.
    #[must_use]
    pub fn runs(&self) -> &RunRequests {
        &self.0.plugin_runs.requests
    }

    /// The secrets of organizations, if the host gave a store for them.
    #[must_use]
    pub fn secrets(&self) -> Option<&OrgSecrets> {
        self.0.secrets.as_ref()
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    /// Mints the access token of a session for a scope; its times count from `at`, when the scope was decided.
    ///
    /// # Errors
    ///
    /// [`MintError`] if the scope outlives what any token may, or no key signs.
    pub async fn mint(
        &self,
        user: &User,
        session: &Session,
        scope: &Scope,
        at: Timestamp,
    ) -> Result<SecretString, MintError> {
        let claims = AccessClaims {
            id: self.0.entropy.id(at),
            user: user.id,
            org: scope.membership.as_ref().map(|membership| OrgClaims {
                id: membership.org,
                slug: membership.slug.clone(),
                role: membership.role.clone(),
                version: scope.version,
                member_epoch: membership.epoch,
            }),
            session: session.id,
            user_epoch: session.credential_epoch,
            audience: self.0.audience.clone(),
            aal: session.aal,
            auth_time: session.auth_time,
            expires_at: scope.expires_at,
            administrator: user.administrator,
        };
        let entropy = self.0.entropy.as_ref();
        self.0.minter.mint(&claims, entropy).await
    }

    /// Mints the access token that a service account's key was exchanged for.
    ///
    /// # Errors
    ///
    /// [`MintError`] if the grant outlives what any token may, or no key signs.
    pub async fn mint_service(&self, grant: &ServiceGrant) -> Result<SecretString, MintError> {
        let KeyHolder {
            key,
            account,
            org,
            slug,
            version,
        } = &grant.holder;
        let claims = ServiceClaims {
            id: self.0.entropy.id(grant.at),
            account: account.id,
            key: key.id,
            on_behalf_of: account.owner,
            org: OrgClaims {
                id: *org,
                slug: slug.clone(),
                role: account.role.clone(),
                version: *version,
                member_epoch: account.epoch,
            },
            audience: self.0.audience.clone(),
            expires_at: grant.expires_at,
        };
        let entropy = self.0.entropy.as_ref();
        self.0.services.mint(&claims, entropy).await
    }

    /// Records that a log was read.
    pub(crate) async fn record_read(
        &self,
        action: Action,
        caller: &Caller,
        org: Option<OrgId>,
    ) -> Result<(), StoreError> {
        let at = self.0.clock.now();
        let log = LogId::of(org);
        let on = Resource::new("audit_log", log);
        let mut event = AuditEvent::new(self.0.entropy.id(at), at, caller, action, on);
        event.org = org;
        self.0.store.record(&[event]).await
    }

    /// Records what the control plane does by itself.
    pub(crate) async fn record(&self, action: Action) -> Result<(), StoreError> {
        let at = self.0.clock.now();
        let on = Resource::new("deployment", &self.0.audience);
        let caller = Caller::system("control-plane");
        let event = AuditEvent::new(self.0.entropy.id(at), at, &caller, action, on);
        self.0.store.record(&[event]).await
    }
}
