//! Service accounts and their keys.

use async_trait::async_trait;

use super::state::{State, broken, page};
use super::store::MemoryStore;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Epoch, KeyHolder, KeyId, MAX_LIVE_KEYS, OrgCtx, OrgId, Page, PageRequest, Revocation,
    RevocationEntry, RoleName, RoleVersion, ServiceAccount, ServiceAccountId, ServiceAccountView,
    ServiceKey, Timestamp,
};
use crate::ports::store::{
    AccountChange, AccountDeletion, AccountOutcome, AddKeyOutcome, CreateAccountOutcome, KeyUse,
    MAX_SERVICE_ACCOUNTS, ServiceAccountStore, StoreError,
};

fn keys_of(
    state: &State,
    org: OrgId,
    account: ServiceAccountId,
) -> impl Iterator<Item = &ServiceKey> {
    let own = state.service_keys.iter();
    own.filter(move |((of, _), key)| *of == org && key.account == account)
        .map(|(_, key)| key)
}

fn view(state: &State, org: OrgId, account: &ServiceAccount) -> ServiceAccountView {
    ServiceAccountView {
        account: account.clone(),
        owner_left: state.place(org, account.owner).is_none(),
        keys: keys_of(state, org, account.id).cloned().collect(),
    }
}

/// The account, if it is still as it was checked.
fn at_epoch(
    state: &mut State,
    org: OrgId,
    account: ServiceAccountId,
    epoch: Epoch,
) -> Option<&mut ServiceAccount> {
    let account = state.service_accounts.get_mut(&(org, account))?;
    (account.epoch == epoch).then_some(account)
}

const fn ended(
    org: OrgId,
    account: ServiceAccountId,
    epoch: Epoch,
    expires_at: Timestamp,
) -> RevocationEntry {
    RevocationEntry {
        what: Revocation::Service(org, account, epoch),
        expires_at,
    }
}

#[async_trait]
impl ServiceAccountStore for MemoryStore {
    async fn service_accounts(
        &self,
        org: &OrgCtx,
        request: &PageRequest,
    ) -> Result<Page<ServiceAccountView>, StoreError> {
        let org = org.org();
        Ok(self.read(|state| {
            let own = state.service_accounts.iter();
            let own = own
                .filter(|((of, _), _)| *of == org)
                .map(|(_, account)| view(state, org, account));
            page(own, request, |view| *view.account.id.as_bytes())
        }))
    }

    async fn service_account(
        &self,
        org: &OrgCtx,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountView>, StoreError> {
        let org = org.org();
        Ok(self.read(|state| {
            let account = state.service_accounts.get(&(org, id))?;
            Some(view(state, org, account))
        }))
    }

    async fn role_of_service(
        &self,
        org: OrgId,
        id: ServiceAccountId,
    ) -> Result<Option<RoleName>, StoreError> {
        Ok(self.read(|state| {
            let account = state.service_accounts.get(&(org, id))?;
            Some(account.role.clone())
        }))
    }

    async fn create_service_account(
        &self,
        org: &OrgCtx,
        account: &ServiceAccount,
        version: Option<RoleVersion>,
        events: &[AuditEvent],
    ) -> Result<CreateAccountOutcome, StoreError> {
        let org = org.org();
        self.write(|state| {
            if !state.orgs.contains_key(&org) {
                return Err(broken("a service account's organization exists"));
            }
            if !state.is_at(org, version) {
                return Ok(CreateAccountOutcome::Raced);
            }
            let own = state.service_accounts.keys().filter(|(of, _)| *of == org);
            if own.count() >= MAX_SERVICE_ACCOUNTS {
                return Ok(CreateAccountOutcome::TooMany);
            }
            if !state.users.contains_key(&account.owner) {
                return Err(broken("who answers for a service account has an account"));
            }
            state.outbox.admit(events)?;
            let key = (org, account.id);
            state.service_accounts.insert(key, account.clone());
            state.outbox.record(events);
            Ok(CreateAccountOutcome::Created)
        })
    }

    async fn change_service_account(
        &self,
        org: &OrgCtx,
        change: &AccountChange,
        events: &[AuditEvent],
    ) -> Result<AccountOutcome, StoreError> {
        let org = org.org();
        self.write(|state| {
            state.outbox.admit(events)?;
            let version = change.role.as_ref().and_then(|(_, version)| *version);
            let is_member = |owner| state.place(org, owner).is_some();
            if !state.is_at(org, version) || !change.owner.is_none_or(is_member) {
                return Ok(AccountOutcome::Raced);
            }
            let Some(account) = at_epoch(state, org, change.account, change.from) else {
                return Ok(AccountOutcome::Raced);
            };
            if let Some((role, _)) = &change.role {
                account.role = role.clone();
            }
            account.owner = change.owner.unwrap_or(account.owner);
            account.epoch = account.epoch.next();
            let entry = ended(org, account.id, account.epoch, change.tokens_expire_at);
            state.revocations.push(entry);
            state.outbox.record(events);
            Ok(AccountOutcome::Changed(entry))
        })
    }

    async fn delete_service_account(
        &self,
        org: &OrgCtx,
        deletion: &AccountDeletion,
        events: &[AuditEvent],
    ) -> Result<AccountOutcome, StoreError> {
        let (org, id) = (org.org(), deletion.account);
        self.write(|state| {
            state.outbox.admit(events)?;
            if at_epoch(state, org, id, deletion.from).is_none() {
                return Ok(AccountOutcome::Raced);
            }
            state.service_accounts.remove(&(org, id));
            state
                .service_keys
                .retain(|(of, _), key| *of != org || key.account != id);
            let entry = ended(org, id, deletion.from.next(), deletion.tokens_expire_at);
            state.revocations.push(entry);
            state.outbox.record(events);
            Ok(AccountOutcome::Changed(entry))
        })
    }

    async fn add_service_key(
        &self,
        org: &OrgCtx,
        key: &ServiceKey,
        epoch: Epoch,
        events: &[AuditEvent],
    ) -> Result<AddKeyOutcome, StoreError> {
        let org = org.org();
        self.write(|state| {
            state.outbox.admit(events)?;
            if at_epoch(state, org, key.account, epoch).is_none() {
                return Ok(AddKeyOutcome::Raced);
            }
            let live = keys_of(state, org, key.account).filter(|it| key.created_at < it.expires_at);
            if live.count() >= MAX_LIVE_KEYS {
                return Ok(AddKeyOutcome::Full);
            }
            // The dead ones make room, so an account never has more rows than live keys.
            state.service_keys.retain(|(of, _), it| {
                *of != org || it.account != key.account || key.created_at < it.expires_at
            });
            state.service_keys.insert((org, key.id), key.clone());
            state.outbox.record(events);
            Ok(AddKeyOutcome::Added)
        })
    }

    async fn revoke_service_key(
        &self,
        org: &OrgCtx,
        account: ServiceAccountId,
        key: KeyId,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        let org = org.org();
        self.write(|state| {
            state.outbox.admit(events)?;
            let stored = state.service_keys.get(&(org, key));
            if stored.is_none_or(|stored| stored.account != account) {
                return Ok(None);
            }
            state.service_keys.remove(&(org, key));
            let entry = RevocationEntry {
                what: Revocation::ServiceKey(org, key),
                expires_at: tokens_expire_at,
            };
            state.revocations.push(entry);
            state.outbox.record(events);
            Ok(Some(entry))
        })
    }

    async fn key_holder(&self, key: KeyId) -> Result<Option<KeyHolder>, StoreError> {
        Ok(self.read(|state| {
            let mut keys = state.service_keys.iter();
            let ((org, _), key) = keys.find(|((_, id), _)| *id == key)?;
            let account = state.service_accounts.get(&(*org, key.account))?;
            let mut roles = state.roles.iter().filter(|((of, _), _)| of == org);
            let role = roles.find(|(_, role)| role.name == account.role);
            Some(KeyHolder {
                key: key.clone(),
                account: account.clone(),
                org: *org,
                slug: state.orgs.get(org)?.slug.clone(),
                version: role.map(|(_, role)| role.version),
            })
        }))
    }

    async fn use_key(&self, key_use: &KeyUse, events: &[AuditEvent]) -> Result<bool, StoreError> {
        let org = key_use.org;
        self.write(|state| {
            state.outbox.admit(events)?;
            if at_epoch(state, org, key_use.account, key_use.epoch).is_none() {
                return Ok(false);
            }
            let key = state.service_keys.get_mut(&(org, key_use.key));
            let Some(key) =
                key.filter(|key| key.account == key_use.account && key_use.at < key.expires_at)
            else {
                return Ok(false);
            };
            key.last_used = key.last_used.max(Some(key_use.hour));
            state.outbox.record(events);
            Ok(true)
        })
    }
}
