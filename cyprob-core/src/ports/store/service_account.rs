//! Service accounts and their keys.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Epoch, KeyHolder, KeyId, OrgCtx, OrgId, Page, PageRequest, RevocationEntry, RoleName,
    RoleVersion, ServiceAccount, ServiceAccountId, ServiceAccountView, ServiceKey, Timestamp,
    UserId,
};

/// How many service accounts one organization can have.
pub const MAX_SERVICE_ACCOUNTS: usize = 1_000;

/// What became of a new service account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateAccountOutcome {
    /// It exists now.
    Created,
    /// The role has another version by now, or is gone. Nothing changed.
    Raced,
    /// The organization has as many as it can. Nothing changed.
    TooMany,
}

/// A change of a service account; what is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChange {
    /// Which.
    pub account: ServiceAccountId,
    /// The epoch that the caller's right was checked against; another one loses the race.
    pub from: Epoch,
    /// The new role, and its version where the organization defined it.
    pub role: Option<(RoleName, Option<RoleVersion>)>,
    /// Who answers for it from now on; must be a member.
    pub owner: Option<UserId>,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// The end of a service account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountDeletion {
    /// Which.
    pub account: ServiceAccountId,
    /// The epoch that the caller's right was checked against; another one loses the race.
    pub from: Epoch,
    /// Now.
    pub at: Timestamp,
    /// When the last access token given so far expires.
    pub tokens_expire_at: Timestamp,
}

/// What became of a change or a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountOutcome {
    /// It is in force, with the next epoch; the revocation is stored, to be published.
    Changed(RevocationEntry),
    /// The account or the role changed meanwhile, or is gone, or the new owner is no member. Nothing changed.
    Raced,
}

/// What became of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddKeyOutcome {
    /// It is good now.
    Added,
    /// The account has as many live keys as it can. Nothing changed.
    Full,
    /// The account changed meanwhile, or is gone. Nothing changed.
    Raced,
}

/// The exchange of a key for an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub key: KeyId,
    /// Its account's organization.
    pub org: OrgId,
    /// Its account.
    pub account: ServiceAccountId,
    /// The account's epoch, which the token will carry; another one loses the race.
    pub epoch: Epoch,
    /// Now.
    pub at: Timestamp,
    /// The hour that `at` lies in: what is kept of the use.
    pub hour: Timestamp,
}

/// Service accounts and their keys.
#[async_trait]
pub trait ServiceAccountStore: Debug + Send + Sync + 'static {
    /// The organization's service accounts, oldest first (cursor: the id's bytes).
    async fn service_accounts(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<ServiceAccountView>, StoreError>;

    /// One service account.
    async fn service_account(
        &self,
        org: &OrgCtx,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountView>, StoreError>;

    /// The role of a service account that invited somebody. The invitation is the proof; no token is given yet.
    async fn role_of_service(
        &self,
        org: OrgId,
        id: ServiceAccountId,
    ) -> Result<Option<RoleName>, StoreError>;

    /// Makes a service account, in this version of its role; an organization has at most [`MAX_SERVICE_ACCOUNTS`].
    async fn create_service_account(
        &self,
        org: &OrgCtx,
        account: &ServiceAccount,
        version: Option<RoleVersion>,
        events: &[AuditEvent],
    ) -> Result<CreateAccountOutcome, StoreError>;

    /// Changes a service account, grows its epoch and stores the revocation, in one step.
    async fn change_service_account(
        &self,
        org: &OrgCtx,
        change: &AccountChange,
        events: &[AuditEvent],
    ) -> Result<AccountOutcome, StoreError>;

    /// Deletes a service account with its keys and stores the revocation of all its tokens, in one step.
    async fn delete_service_account(
        &self,
        org: &OrgCtx,
        deletion: &AccountDeletion,
        events: &[AuditEvent],
    ) -> Result<AccountOutcome, StoreError>;

    /// Stores a key, if the account has fewer than [`MAX_LIVE_KEYS`](crate::domain::MAX_LIVE_KEYS) that are good when it is made, and is still at `epoch`.
    async fn add_service_key(
        &self,
        org: &OrgCtx,
        key: &ServiceKey,
        epoch: Epoch,
        events: &[AuditEvent],
    ) -> Result<AddKeyOutcome, StoreError>;

    /// Revokes a key and stores the revocation of its tokens; `None` if the account has no such key.
    async fn revoke_service_key(
        &self,
        org: &OrgCtx,
        account: ServiceAccountId,
        key: KeyId,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError>;

    /// A key that is not revoked, with its account. Its text is the proof; no tenant is known yet.
    async fn key_holder(&self, key: KeyId) -> Result<Option<KeyHolder>, StoreError>;

    /// Records an exchange, and the hour of it if that is new; `false`, and nothing is recorded,
    /// if the key is not good any more or its account changed meanwhile.
    async fn use_key(&self, key_use: &KeyUse, events: &[AuditEvent]) -> Result<bool, StoreError>;
}
