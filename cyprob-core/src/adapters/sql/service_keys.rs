//! Keys of service accounts.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, revocations, roles, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Epoch, KeyHolder, KeyId, MAX_LIVE_KEYS, OrgCtx, OrgId, Page, PageRequest, Revocation,
    RevocationEntry, RoleName, RoleVersion, ServiceAccount, ServiceAccountId, ServiceAccountView,
    ServiceKey, Timestamp, TokenDigest,
};
use crate::ports::store::{
    AccountChange, AccountDeletion, AccountOutcome, AddKeyOutcome, CreateAccountOutcome, KeyUse,
    ServiceAccountStore, StoreError,
};

/// No organization is known before the key is found.
const BY_KEY: Scope = Scope::system("a service key is found by its id");

pub(super) fn key<B: Backend>(row: &B::Row) -> Result<ServiceKey, StoreError> {
    let row = Columns::of(row, "service_keys");
    let digest = row.read("digest", |bytes: &[u8]| bytes.try_into().ok())?;
    Ok(ServiceKey {
        id: row.id("key_id")?,
        account: row.id("account_id")?,
        digest: TokenDigest::from_bytes(digest),
        created_at: row.time("key_created_at")?,
        expires_at: row.time("expires_at")?,
        last_used: row.optional_time("last_used")?,
    })
}

fn holder<B: Backend>(row: &B::Row) -> Result<KeyHolder, StoreError> {
    let key = key::<B>(row)?;
    let row = Columns::of(row, "service_accounts");
    let version = match row.optional_id("role_id")? {
        Some(id) => Some(RoleVersion {
            id,
            epoch: row.epoch("role_epoch")?,
        }),
        None => None,
    };
    Ok(KeyHolder {
        account: ServiceAccount {
            id: key.account,
            name: row.parse("name")?,
            role: row.parse("role")?,
            owner: row.id("owner")?,
            epoch: row.epoch("epoch")?,
            created_at: row.time("created_at")?,
        },
        org: row.id("org_id")?,
        slug: row.parse("slug")?,
        version,
        key,
    })
}

/// Locks an account until the end, if it is still as it was checked.
pub(super) async fn lock_account<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    account: ServiceAccountId,
    epoch: Epoch,
) -> Result<bool, StoreError> {
    let args = [org.into(), account.into(), epoch.into()];
    let row = write
        .fetch_optional(&sql::TENANT_LOCK_SERVICE_ACCOUNT, &args)
        .await?;
    Ok(row.is_some())
}

#[async_trait]
impl<B: Backend> ServiceAccountStore for SqlStore<B> {
    async fn service_accounts(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<ServiceAccountView>, StoreError> {
        self.accounts_listed(org, page).await
    }

    async fn service_account(
        &self,
        org: &OrgCtx,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountView>, StoreError> {
        self.account_read(org, id).await
    }

    async fn role_of_service(
        &self,
        org: OrgId,
        id: ServiceAccountId,
    ) -> Result<Option<RoleName>, StoreError> {
        self.account_role(org, id).await
    }

    async fn create_service_account(
        &self,
        org: &OrgCtx,
        account: &ServiceAccount,
        version: Option<RoleVersion>,
        events: &[AuditEvent],
    ) -> Result<CreateAccountOutcome, StoreError> {
        self.account_created(org, account, version, events).await
    }

    async fn change_service_account(
        &self,
        org: &OrgCtx,
        change: &AccountChange,
        events: &[AuditEvent],
    ) -> Result<AccountOutcome, StoreError> {
        self.account_changed(org, change, events).await
    }

    async fn delete_service_account(
        &self,
        org: &OrgCtx,
        deletion: &AccountDeletion,
        events: &[AuditEvent],
    ) -> Result<AccountOutcome, StoreError> {
        self.account_deleted(org, deletion, events).await
    }

    async fn add_service_key(
        &self,
        org: &OrgCtx,
        key: &ServiceKey,
        epoch: Epoch,
        events: &[AuditEvent],
    ) -> Result<AddKeyOutcome, StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        let org = org.org();
        // Of many at once, each must count those before it.
        if !lock_account(&mut write, org, key.account, epoch).await? {
            return Ok(AddKeyOutcome::Raced);
        }
        // The dead ones make room, so an account never has more rows than live keys.
        let dead = [org.into(), key.account.into(), key.created_at.into()];
        write.execute(&sql::TENANT_DELETE_DEAD_KEYS, &dead).await?;
        let row = write
            .fetch_optional(
                &sql::TENANT_COUNT_SERVICE_KEYS,
                &[org.into(), key.account.into()],
            )
            .await?;
        if roles::count::<B>(row.as_ref(), "service_keys")? >= MAX_LIVE_KEYS {
            return Ok(AddKeyOutcome::Full);
        }
        let args = [
            org.into(),
            key.id.into(),
            key.account.into(),
            Arg::bytes(key.digest.as_bytes()),
            key.created_at.into(),
            key.expires_at.into(),
        ];
        write
            .execute(&sql::TENANT_INSERT_SERVICE_KEY, &args)
            .await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(AddKeyOutcome::Added)
    }

    async fn revoke_service_key(
        &self,
        org: &OrgCtx,
        account: ServiceAccountId,
        key: KeyId,
        tokens_expire_at: Timestamp,
        events: &[AuditEvent],
    ) -> Result<Option<RevocationEntry>, StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        let org = org.org();
        let args = [org.into(), key.into(), account.into()];
        if write
            .execute(&sql::TENANT_DELETE_SERVICE_KEY, &args)
            .await?
            == 0
        {
            return Ok(None);
        }
        let entry = RevocationEntry {
            what: Revocation::ServiceKey(org, key),
            expires_at: tokens_expire_at,
        };
        revocations::insert(&mut write, &entry).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(Some(entry))
    }

    async fn key_holder(&self, key: KeyId) -> Result<Option<KeyHolder>, StoreError> {
        let mut read = self.reading(BY_KEY).await?;
        let row = read.fetch_optional(&sql::KEY_HOLDER, &[key.into()]).await?;
        row.as_ref().map(holder::<B>).transpose()
    }

    async fn use_key(&self, key_use: &KeyUse, events: &[AuditEvent]) -> Result<bool, StoreError> {
        let org = key_use.org;
        let mut write = self.writing(Scope::org(org)).await?;
        let account = [org.into(), key_use.account.into(), key_use.epoch.into()];
        let row = write
            .fetch_optional(&sql::TENANT_SERVICE_ACCOUNT_AT, &account)
            .await?;
        if row.is_none() {
            return Ok(false);
        }
        let key = [
            org.into(),
            key_use.key.into(),
            key_use.account.into(),
            key_use.at.into(),
        ];
        let row = write.fetch_optional(&sql::TENANT_LIVE_KEY, &key).await?;
        let Some(row) = row else {
            return Ok(false);
        };
        let last = Columns::of(&row, "service_keys").optional_time("last_used")?;
        if last < Some(key_use.hour) {
            let args = [org.into(), key_use.key.into(), key_use.hour.into()];
            write.execute(&sql::TENANT_KEY_USED, &args).await?;
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(true)
    }
}
