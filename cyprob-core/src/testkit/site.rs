//! A small deployment over any store, for properties.

#![allow(clippy::panic, reason = "a property reports by panicking")]

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::{FixedRoles, ManualClock, RecordingFeed, SeededEntropy};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    AccountPolicy, Caller, DeviceKeys, FactorKey, FactorKeyId, FactorKeys, PasswordHash,
    RefreshKey, RefreshKeyId, RefreshKeys, SessionPolicy, UserId,
};
use crate::ports::store::IdentityStore;
use crate::ports::{Entropy, HashError, PasswordCheck, PasswordHasher};
use crate::service::{
    Bootstrap, Credentials, FirstAdministrator, Founded, Identity, IdentityParts, SignedIn,
};

/// The password of everybody in a site.
pub(crate) const PASSWORD: &str = "a pass phrase for properties";

/// Keeps passwords as they are: properties about sessions need no cost.
#[derive(Clone, Copy, Debug, Default)]
struct PlainHasher;

#[async_trait]
impl PasswordHasher for PlainHasher {
    async fn hash(
        &self,
        password: SecretString,
        _: Option<IpAddr>,
    ) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash::from_phc(password.expose_secret().to_owned()))
    }

    async fn check(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
        _: &str,
        _: Option<IpAddr>,
    ) -> Result<PasswordCheck, HashError> {
        Ok(check(&password, stored.as_ref()))
    }

    async fn check_known(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
        _: UserId,
    ) -> Result<PasswordCheck, HashError> {
        Ok(check(&password, stored.as_ref()))
    }
}

fn check(password: &SecretString, stored: Option<&PasswordHash>) -> PasswordCheck {
    match stored {
        Some(stored) if stored.expose_phc() == password.expose_secret() => PasswordCheck::Right,
        _ => PasswordCheck::Wrong,
    }
}

/// Identity services over a store, with a clock and randomness that are told what to be.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) store: Arc<dyn IdentityStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) identity: Arc<Identity>,
    /// What was published.
    pub(crate) feed: Arc<RecordingFeed>,
}

/// The server's keys, of which the numbered one makes new tokens.
fn keys(active: u32) -> RefreshKeys {
    let [first, second] = [[7; 32], [8; 32]].map(RefreshKey::new);
    let [one, two] = [1, 2].map(RefreshKeyId::new);
    if active == 1 {
        RefreshKeys::new(one, first).with_accepted(two, second)
    } else {
        RefreshKeys::new(two, second).with_accepted(one, first)
    }
}

impl Site {
    pub(crate) fn new(store: Arc<dyn IdentityStore>, clock: Arc<ManualClock>, seed: u64) -> Self {
        Self::with(store, clock, Arc::new(SeededEntropy::new(seed)), 1)
    }

    /// With randomness of one's own; key 1 or 2 makes new tokens, the other is accepted.
    pub(crate) fn with(
        store: Arc<dyn IdentityStore>,
        clock: Arc<ManualClock>,
        entropy: Arc<dyn Entropy>,
        active: u32,
    ) -> Self {
        Self::with_hasher(store, clock, entropy, active, Arc::new(PlainHasher))
    }

    /// With a hasher of one's own.
    pub(super) fn with_hasher(
        store: Arc<dyn IdentityStore>,
        clock: Arc<ManualClock>,
        entropy: Arc<dyn Entropy>,
        active: u32,
        hasher: Arc<dyn PasswordHasher>,
    ) -> Self {
        let feed = Arc::new(RecordingFeed::default());
        let identity = Identity::new(IdentityParts {
            store: Arc::clone(&store),
            hasher,
            roles: Arc::new(FixedRoles),
            feed: Arc::clone(&feed) as _,
            clock: Arc::clone(&clock) as _,
            entropy,
            refresh_keys: keys(active),
            device_keys: DeviceKeys::new(active, [9; 32]),
            sessions: SessionPolicy::default(),
            breaches: None,
            policy: AccountPolicy::default(),
            factor_keys: FactorKeys::new(FactorKeyId::new(1), FactorKey::new([9; 32])),
        });
        Self {
            store,
            clock,
            identity: Arc::new(identity),
            feed,
        }
    }

    /// The same deployment after its server started anew.
    pub(crate) fn again(&self) -> Self {
        let entropy = Arc::new(SeededEntropy::new(u64::MAX));
        Self::with(Arc::clone(&self.store), Arc::clone(&self.clock), entropy, 1)
    }

    /// Tells the store what was counted.
    pub(crate) async fn flush(&self) {
        let flushed = self.identity.flush_failures().await;
        flushed.unwrap_or_else(|error| panic!("{error}"));
    }

    /// The first administrator, `ada@example.com`, who owns `acme`.
    pub(crate) async fn found(&self) -> Founded {
        let Ok(Bootstrap::Open(token)) = self.identity.arm_bootstrap().await else {
            panic!("the store is new");
        };
        let first = FirstAdministrator {
            email: parsed("ada@example.com"),
            password: PASSWORD.into(),
            name: parsed("Ada"),
            org_slug: parsed("acme"),
            org_name: parsed("Acme"),
        };
        let founded = self
            .identity
            .bootstrap(&token, first, &Caller::system("property"))
            .await;
        founded.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) async fn sign_in(&self, email: &str) -> SignedIn {
        let credentials = Credentials {
            email: email.to_owned(),
            password: PASSWORD.into(),
            org: None,
            device_token: None,
            totp: None,
        };
        let signed_in = self
            .identity
            .sign_in(credentials, &Caller::system("property"))
            .await;
        signed_in.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Takes out the events since the last call, in order.
    pub(crate) async fn events(&self) -> Vec<AuditEvent> {
        let mut all = Vec::new();
        loop {
            let some = self.store.pending(1_000).await;
            let some = some.unwrap_or_else(|error| panic!("{error}"));
            if some.is_empty() {
                return all;
            }
            let ids: Vec<_> = some.iter().map(|event| event.id).collect();
            let discarded = self.store.discard(&ids).await;
            discarded.unwrap_or_else(|error| panic!("{error}"));
            all.extend(some);
        }
    }
}

/// A value out of a constant of this folder.
pub(crate) fn parsed<T: std::str::FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is well-formed"))
}
