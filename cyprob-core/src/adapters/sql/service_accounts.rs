//! Service accounts.

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, revocations, roles, service_keys, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    Epoch, OrgCtx, OrgId, Page, PageRequest, Revocation, RevocationEntry, RoleName, RoleVersion,
    ServiceAccount, ServiceAccountId, ServiceAccountView, Timestamp,
};
use crate::ports::store::{
    AccountChange, AccountDeletion, AccountOutcome, CreateAccountOutcome, MAX_SERVICE_ACCOUNTS,
    StoreError,
};

fn view<B: Backend>(row: &B::Row) -> Result<ServiceAccountView, StoreError> {
    let row = Columns::of(row, "service_accounts");
    Ok(ServiceAccountView {
        account: ServiceAccount {
            id: row.id("id")?,
            name: row.parse("name")?,
            role: row.parse("role")?,
            owner: row.id("owner")?,
            epoch: row.epoch("epoch")?,
            created_at: row.time("created_at")?,
        },
        owner_left: !row.get::<bool>("owner_is_here")?,
        keys: Vec::new(),
    })
}

async fn ended<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
    account: ServiceAccountId,
    epoch: Epoch,
    expires_at: Timestamp,
) -> Result<RevocationEntry, StoreError> {
    let entry = RevocationEntry {
        what: Revocation::Service(org, account, epoch),
        expires_at,
    };
    revocations::insert(write, &entry).await?;
    Ok(entry)
}

impl<B: Backend> SqlStore<B> {
    pub(super) async fn accounts_listed(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<ServiceAccountView>, StoreError> {
        let org = org.org();
        let mut read = self.reading(Scope::org(org)).await?;
        let args = [org.into(), Arg::after(page), Arg::limit(page)];
        let rows = read.fetch_all(&sql::TENANT_SERVICE_ACCOUNTS, &args).await?;
        let mut views = rows.iter().map(view::<B>).collect::<Result<Vec<_>, _>>()?;
        if let (Some(first), Some(last)) = (views.first(), views.last()) {
            let args = [org.into(), first.account.id.into(), last.account.id.into()];
            let rows = read.fetch_all(&sql::TENANT_SERVICE_KEYS, &args).await?;
            let mut keys = Vec::with_capacity(rows.len());
            for row in &rows {
                keys.push(service_keys::key::<B>(row)?);
            }
            for view in &mut views {
                let own = keys.iter().filter(|key| key.account == view.account.id);
                view.keys = own.cloned().collect();
            }
        }
        Ok(Page::cut(views, page, |view| {
            view.account.id.as_bytes().to_vec()
        }))
    }

    pub(super) async fn account_read(
        &self,
        org: &OrgCtx,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountView>, StoreError> {
        let org = org.org();
        let mut read = self.reading(Scope::org(org)).await?;
        let row = read
            .fetch_optional(&sql::TENANT_SERVICE_ACCOUNT, &[org.into(), id.into()])
            .await?;
        let Some(mut view) = row.as_ref().map(view::<B>).transpose()? else {
            return Ok(None);
        };
        let args = [org.into(), id.into(), id.into()];
        for row in &read.fetch_all(&sql::TENANT_SERVICE_KEYS, &args).await? {
            view.keys.push(service_keys::key::<B>(row)?);
        }
        Ok(Some(view))
    }

    pub(super) async fn account_role(
        &self,
        org: OrgId,
        id: ServiceAccountId,
    ) -> Result<Option<RoleName>, StoreError> {
        let mut read = self.reading(Scope::org(org)).await?;
        let row = read
            .fetch_optional(&sql::TENANT_SERVICE_ACCOUNT, &[org.into(), id.into()])
            .await?;
        let view = row.as_ref().map(view::<B>).transpose()?;
        Ok(view.map(|view| view.account.role))
    }

    pub(super) async fn account_created(
        &self,
        org: &OrgCtx,
        account: &ServiceAccount,
        version: Option<RoleVersion>,
        events: &[AuditEvent],
    ) -> Result<CreateAccountOutcome, StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        let org = org.org();
        // Of many at once, each must count those before it.
        write.lock(&sql::LOCK_ORG, &[org.into()]).await?;
        if !roles::is_at(&mut write, org, version).await? {
            return Ok(CreateAccountOutcome::Raced);
        }
        let args = [
            org.into(),
            account.id.into(),
            account.name.as_str().into(),
            account.role.as_str().into(),
            account.owner.into(),
            account.epoch.into(),
            account.created_at.into(),
        ];
        write
            .execute(&sql::TENANT_INSERT_SERVICE_ACCOUNT, &args)
            .await?;
        let row = write
            .fetch_optional(&sql::TENANT_COUNT_SERVICE_ACCOUNTS, &[org.into()])
            .await?;
        if roles::count::<B>(row.as_ref(), "service_accounts")? > MAX_SERVICE_ACCOUNTS {
            return Ok(CreateAccountOutcome::TooMany);
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(CreateAccountOutcome::Created)
    }

    pub(super) async fn account_changed(
        &self,
        org: &OrgCtx,
        change: &AccountChange,
        events: &[AuditEvent],
    ) -> Result<AccountOutcome, StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        let org = org.org();
        let (role, version) = match &change.role {
            Some((role, version)) => (Some(role.as_str()), *version),
            None => (None, None),
        };
        if !roles::is_at(&mut write, org, version).await? {
            return Ok(AccountOutcome::Raced);
        }
        if let Some(owner) = change.owner {
            let args = [org.into(), owner.into()];
            let member = write.fetch_optional(&sql::TENANT_MEMBER, &args).await?;
            if member.is_none() {
                return Ok(AccountOutcome::Raced);
            }
        }
        let args = [
            org.into(),
            change.account.into(),
            change.from.into(),
            role.into(),
            change.owner.into(),
        ];
        if write
            .execute(&sql::TENANT_CHANGE_SERVICE_ACCOUNT, &args)
            .await?
            == 0
        {
            return Ok(AccountOutcome::Raced);
        }
        let next = change.from.next();
        let until = change.tokens_expire_at;
        let entry = ended(&mut write, org, change.account, next, until).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(AccountOutcome::Changed(entry))
    }

    pub(super) async fn account_deleted(
        &self,
        org: &OrgCtx,
        deletion: &AccountDeletion,
        events: &[AuditEvent],
    ) -> Result<AccountOutcome, StoreError> {
        let mut write = self.writing(Scope::org(org.org())).await?;
        let (org, account) = (org.org(), deletion.account);
        // Whoever exchanges one of its keys waits for the end, or was before it.
        if !service_keys::lock_account(&mut write, org, account, deletion.from).await? {
            return Ok(AccountOutcome::Raced);
        }
        let key = [org.into(), account.into()];
        write
            .execute(&sql::TENANT_DELETE_SERVICE_KEYS, &key)
            .await?;
        write
            .execute(&sql::TENANT_DELETE_SERVICE_ACCOUNT, &key)
            .await?;
        let next = deletion.from.next();
        let until = deletion.tokens_expire_at;
        let entry = ended(&mut write, org, account, next, until).await?;
        write.record(events).await?;
        write.commit().await?;
        Ok(AccountOutcome::Changed(entry))
    }
}
