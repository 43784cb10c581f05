//! Keys of service accounts, and their exchange for short tokens.

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::refusals::RefusalKind;
use super::{Identity, ServiceAccountError, SlowDown};
use crate::domain::audit::{Action, Actor, MetaValue, Resource};
use crate::domain::{
    Caller, Gate, KeyHolder, KeyId, OrgCtx, ServiceAccountId, ServiceKey, Timestamp,
    read_service_key, service_key_text,
};
use crate::ports::EntropyExt;
use crate::ports::store::{AddKeyOutcome, KeyUse, StoreError};

const HOUR_MICROS: i64 = 3_600_000_000;

/// Why a key was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key would be dead at once, or outlive the deployment's bound.
    #[error("the key's end is past or too far away")]
    Expiry,
    /// Two keys of the account are good already.
    #[error("two keys are live")]
    Full,
    /// The account is not there, or not the caller's to act as.
    #[error(transparent)]
    Account(#[from] ServiceAccountError),
    /// The store failed.
    #[error("the key could not be stored")]
    Store(#[from] StoreError),
}

/// Why a key was not exchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// Too many keys that were none: nothing was checked.
    #[error(transparent)]
    SlowDown(#[from] SlowDown),
    /// No key, an unknown one, or one whose time is over: nobody learns which.
    #[error("the key is not good")]
    InvalidKey,
    /// The store failed.
    #[error("the exchange could not be stored")]
    Store(#[from] StoreError),
}

/// A key just made.
#[derive(Debug)]
pub struct NewServiceKey {
    /// The key.
    pub key: ServiceKey,
    /// Its text; shown once.
    pub text: SecretString,
}

/// What an access token of a service account is given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceGrant {
    /// The key with its account and organization.
    pub holder: KeyHolder,
    /// When it was exchanged.
    pub at: Timestamp,
    /// When the token expires.
    pub expires_at: Timestamp,
}

impl Identity {
    /// Makes a key for a service account, good until a time; of one account two can be good at once, to change over.
    ///
    /// The caller must hold all that the account's role permits: whoever has
    /// the key acts in it. Whether the account's owner is still a member does
    /// not matter.
    ///
    /// # Errors
    ///
    /// [`KeyError`]; nothing was made.
    #[tracing::instrument(name = "core.service_key.create", skip_all, fields(org.id = %org.org(), service_account.id = %id))]
    pub async fn create_service_key(
        &self,
        org: &OrgCtx,
        id: ServiceAccountId,
        expires_at: Timestamp,
    ) -> Result<NewServiceKey, KeyError> {
        let account = self.covered_account(org, id).await?.account;
        let at = self.now();
        let bound = at.after(self.parts.policy.service_keys.max_lifetime());
        if expires_at <= at || expires_at > bound {
            return Err(KeyError::Expiry);
        }
        let key_id = self.parts.entropy.id(at);
        let secret = Zeroizing::new(self.parts.entropy.bytes::<32>());
        let text = service_key_text(key_id, &secret);
        let Some((_, digest)) = read_service_key(&text) else {
            return Err(StoreError::unavailable("a new key cannot be read").into());
        };
        let key = ServiceKey {
            id: key_id,
            account: id,
            digest,
            created_at: at,
            expires_at,
            last_used: None,
        };
        let event = self
            .event(
                at,
                org.caller(),
                Action::ServiceKeyCreated,
                Resource::new("service_key", key.id),
            )
            .in_org(org.org())
            .with("service_account", MetaValue::public(id))
            .with("expires_at", MetaValue::public(expires_at));
        let outcome = self
            .store()
            .add_service_key(org, &key, account.epoch, &[event])
            .await?;
        match outcome {
            AddKeyOutcome::Added => Ok(NewServiceKey { key, text }),
            AddKeyOutcome::Full => Err(KeyError::Full),
            AddKeyOutcome::Raced => Err(ServiceAccountError::Raced.into()),
        }
    }

    /// Revokes a key; the tokens it was exchanged for stop working at once. `false` if the account has no such key.
    ///
    /// Whoever may write service accounts can: a key that has leaked must not
    /// wait for somebody who holds as much as it does.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the key may still be good.
    #[tracing::instrument(name = "core.service_key.revoke", skip_all, fields(org.id = %org.org(), service_account.id = %account, key.id = %key))]
    pub async fn revoke_service_key(
        &self,
        org: &OrgCtx,
        account: ServiceAccountId,
        key: KeyId,
    ) -> Result<bool, StoreError> {
        let at = self.now();
        let event = self
            .event(
                at,
                org.caller(),
                Action::ServiceKeyRevoked,
                Resource::new("service_key", key),
            )
            .in_org(org.org())
            .with("service_account", MetaValue::public(account));
        let until = self.all_tokens_expire_at(at);
        let revoked = self
            .store()
            .revoke_service_key(org, account, key, until, &[event])
            .await?;
        self.publish(revoked.as_slice());
        Ok(revoked.is_some())
    }

    /// Exchanges a key for what an access token is minted from.
    ///
    /// The use is recorded; of its time only the hour is kept with the key.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`]; nothing was given.
    #[tracing::instrument(name = "core.service_key.exchange", skip_all)]
    pub async fn exchange_key(
        &self,
        text: &SecretString,
        caller: &Caller,
    ) -> Result<ServiceGrant, ExchangeError> {
        let at = self.now();
        let visit = self.visit(Gate::Token, caller, at)?;
        let grant = self.exchange(text, caller, at).await?;
        match grant {
            Some(grant) => {
                visit.good();
                Ok(grant)
            }
            None => {
                let from = caller.origin.ip_address;
                self.refusals().count(RefusalKind::ServiceKey, from, at);
                Err(ExchangeError::InvalidKey)
            }
        }
    }

    async fn exchange(
        &self,
        text: &SecretString,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<Option<ServiceGrant>, StoreError> {
        let Some((id, digest)) = read_service_key(text) else {
            return Ok(None);
        };
        let Some(holder) = self.store().key_holder(id).await? else {
            return Ok(None);
        };
        if !holder.key.digest.matches(&digest) || at >= holder.key.expires_at {
            return Ok(None);
        }
        let caller = Caller {
            actor: Actor::Service {
                id: holder.account.id,
                key: id,
                token: None,
                on_behalf_of: holder.account.owner,
            },
            ..caller.clone()
        };
        let on = Resource::new("service_key", id);
        let event = self
            .event(at, &caller, Action::ServiceKeyExchanged, on)
            .in_org(holder.org);
        let key_use = KeyUse {
            key: id,
            org: holder.org,
            account: holder.account.id,
            epoch: holder.account.epoch,
            at,
            hour: hour_of(at),
        };
        if !self.store().use_key(&key_use, &[event]).await? {
            return Ok(None);
        }
        let lifetime = self.parts.policy.service_keys.token_ttl();
        let expires_at = at.after(lifetime).min(holder.key.expires_at);
        Ok(Some(ServiceGrant {
            holder,
            at,
            expires_at,
        }))
    }
}

/// The hour that a time lies in, by its beginning.
fn hour_of(at: Timestamp) -> Timestamp {
    let micros = at.as_micros();
    Timestamp::from_micros(micros - micros.rem_euclid(HOUR_MICROS))
}
