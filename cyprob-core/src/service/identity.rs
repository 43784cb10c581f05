//! The composed identity services.

use std::sync::Arc;

use secrecy::SecretString;

use super::post::Post;
use super::{Refusals, Throttle};
use crate::domain::audit::{Action, AuditEvent, Resource};
use crate::domain::{
    AccountPolicy, Caller, DeviceKeys, FactorKeys, RefreshKeys, RevocationEntry, Session,
    SessionPolicy, Timestamp, mint_refresh_token,
};
use crate::ports::store::{IdentityStore, StoreError};
use crate::ports::{
    BreachList, Clock, Entropy, EntropyExt, PasswordHasher, RevocationFeed, RoleRules,
};

/// What the identity services are made of; every part is chosen by the host.
#[derive(Clone, Debug)]
pub struct IdentityParts {
    /// Where everything is kept.
    pub store: Arc<dyn IdentityStore>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Says what roles may do to roles.
    pub roles: Arc<dyn RoleRules>,
    /// Carries revocations to those who check tokens.
    pub feed: Arc<dyn RevocationFeed>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The server's keys for refresh tokens.
    pub refresh_keys: RefreshKeys,
    /// The server's keys for device tokens.
    pub device_keys: DeviceKeys,
    /// How long sessions and tokens live.
    pub sessions: SessionPolicy,
    /// Knows disclosed passwords; without it none is looked up.
    pub breaches: Option<Arc<dyn BreachList>>,
    /// What is asked of accounts.
    pub policy: AccountPolicy,
    /// The server's keys for the secrets of second factors.
    pub factor_keys: FactorKeys,
}

/// The identity services: sign-in, sessions, accounts, organizations, members, invitations, bootstrap.
///
/// The use cases are methods, one file per subject.
#[derive(Debug)]
pub struct Identity {
    pub(super) parts: IdentityParts,
    refusals: Refusals,
    pub(super) throttle: Throttle,
    pub(super) post: Post,
}

impl Identity {
    /// Composes the services.
    #[must_use]
    pub fn new(parts: IdentityParts) -> Self {
        let throttle = Throttle::new(&parts.policy, parts.device_keys.clone());
        Self {
            parts,
            throttle,
            refusals: Refusals::default(),
            post: Post::default(),
        }
    }

    /// The lifetimes in force.
    #[must_use]
    pub const fn session_policy(&self) -> &SessionPolicy {
        &self.parts.sessions
    }

    /// The refusals of strangers that wait to be recorded.
    #[must_use]
    pub const fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    pub(super) fn store(&self) -> &dyn IdentityStore {
        self.parts.store.as_ref()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// When the last access token given until `at` expires.
    pub(super) fn tokens_expire_at(&self, at: Timestamp) -> Timestamp {
        at.after(self.parts.sessions.access_ttl())
    }

    /// When the last access token expires that anyone was given until `at`, a person or a service account.
    pub(super) fn all_tokens_expire_at(&self, at: Timestamp) -> Timestamp {
        let machines = at.after(self.parts.policy.service_keys.token_ttl());
        self.tokens_expire_at(at).max(machines)
    }

    /// The refresh token of a session that is in force.
    pub(super) fn refresh_token(&self, session: &Session) -> Result<SecretString, StoreError> {
        let token = mint_refresh_token(&self.parts.refresh_keys, session)
            .ok_or_else(|| StoreError::unavailable("the session's refresh key is on no ring"))?;
        self.throttle.gave_out(&token);
        Ok(token)
    }

    pub(super) fn publish(&self, entries: &[RevocationEntry]) {
        if !entries.is_empty() {
            self.parts.feed.publish(entries);
        }
    }

    pub(super) fn event(
        &self,
        at: Timestamp,
        caller: &Caller,
        action: Action,
        on: Resource,
    ) -> AuditEvent {
        AuditEvent::new(self.parts.entropy.id(at), at, caller, action, on)
    }
}
