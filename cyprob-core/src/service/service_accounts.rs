//! Service accounts: machines that act in one organization.

use super::Identity;
use super::authority::KnownRole;
use crate::domain::audit::{Action, AuditEvent, MetaValue, Resource};
use crate::domain::{
    DisplayName, Epoch, OrgCtx, Page, PageRequest, RoleChoice, RoleName, ServiceAccount,
    ServiceAccountId, ServiceAccountView, Timestamp, UserId,
};
use crate::ports::EntropyExt;
use crate::ports::store::{
    AccountChange, AccountDeletion, AccountOutcome, CreateAccountOutcome, StoreError,
};

/// Why a service account was not made, changed or deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceAccountError {
    /// The organization has no such service account.
    #[error("no such service account")]
    NotFound,
    /// There is no such role.
    #[error("no such role")]
    UnknownRole,
    /// Owners are people.
    #[error("a service account cannot be an owner")]
    OwnerIsAPerson,
    /// Whoever is to answer for the account is no member.
    #[error("no such member")]
    NotAMember,
    /// The account's role, or the one it is to get, permits more than the caller holds.
    #[error("the role permits more than the caller's own")]
    Forbidden,
    /// The organization has as many service accounts as it can.
    #[error("too many service accounts")]
    TooMany,
    /// The account or its role changed meanwhile; nothing of this took effect.
    #[error("the service account changed meanwhile")]
    Raced,
    /// The store failed.
    #[error("the service account could not be read or stored")]
    Store(#[from] StoreError),
}

/// What to change of a service account; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountUpdate {
    /// The new role.
    pub role: Option<RoleChoice>,
    /// Who answers for it from now on.
    pub owner: Option<UserId>,
}

impl Identity {
    /// The organization's service accounts with their keys, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn service_accounts(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<ServiceAccountView>, StoreError> {
        self.store().service_accounts(org, page).await
    }

    /// Makes a service account, for which the caller answers; it can hold no more than the caller.
    ///
    /// Where a service account makes another one, the same person answers for both.
    ///
    /// # Errors
    ///
    /// [`ServiceAccountError`]; nothing was made.
    #[tracing::instrument(name = "core.service_account.create", skip_all, fields(org.id = %org.org()))]
    pub async fn create_service_account(
        &self,
        org: &OrgCtx,
        name: DisplayName,
        role: impl Into<RoleChoice> + Send,
    ) -> Result<ServiceAccountView, ServiceAccountError> {
        let choice = role.into();
        let given = self.role_for_service(org, &choice).await?;
        let owner = org.caller().actor.user();
        let owner = owner.ok_or(ServiceAccountError::Forbidden)?;
        let at = self.now();
        let account = ServiceAccount {
            id: self.parts.entropy.id(at),
            name,
            role: choice.name,
            owner,
            epoch: Epoch::FIRST,
            created_at: at,
        };
        let event = self
            .account_event(org, at, Action::ServiceAccountCreated, account.id)
            .with("role", MetaValue::public(&account.role))
            .with("owner", MetaValue::public(account.owner));
        let outcome = self
            .store()
            .create_service_account(org, &account, given.version, &[event])
            .await?;
        match outcome {
            CreateAccountOutcome::Created => Ok(ServiceAccountView {
                account,
                owner_left: false,
                keys: Vec::new(),
            }),
            CreateAccountOutcome::Raced => Err(ServiceAccountError::Raced),
            CreateAccountOutcome::TooMany => Err(ServiceAccountError::TooMany),
        }
    }

    /// Gives a service account another role, or another person to answer for it; its tokens stop working at once.
    ///
    /// The caller must hold all that its old and new role permit. Ownership
    /// gives nobody a right: any member can be named.
    ///
    /// # Errors
    ///
    /// [`ServiceAccountError`]; nothing was changed.
    #[tracing::instrument(name = "core.service_account.change", skip_all, fields(org.id = %org.org(), service_account.id = %id))]
    pub async fn change_service_account(
        &self,
        org: &OrgCtx,
        id: ServiceAccountId,
        update: &AccountUpdate,
    ) -> Result<ServiceAccountView, ServiceAccountError> {
        let account = self.covered_account(org, id).await?.account;
        let role = match &update.role {
            Some(role) => {
                let given = self.role_for_service(org, role).await?;
                Some((role.name.clone(), given.version))
            }
            None => None,
        };
        if let Some(owner) = update.owner {
            let member = self.store().member(org, owner).await?;
            member.ok_or(ServiceAccountError::NotAMember)?;
        }
        let at = self.now();
        let mut event = self.account_event(org, at, Action::ServiceAccountChanged, id);
        if let Some(role) = &update.role {
            event = event
                .with("from", MetaValue::public(&account.role))
                .with("to", MetaValue::public(&role.name));
        }
        if let Some(owner) = update.owner {
            event = event.with("owner", MetaValue::public(owner));
        }
        let change = AccountChange {
            account: id,
            from: account.epoch,
            role,
            owner: update.owner,
            tokens_expire_at: self.all_tokens_expire_at(at),
        };
        let outcome = self
            .store()
            .change_service_account(org, &change, &[event])
            .await?;
        self.published(outcome)?;
        let changed = self.store().service_account(org, id).await?;
        changed.ok_or(ServiceAccountError::NotFound)
    }

    /// Deletes a service account with its keys; its tokens stop working at once.
    ///
    /// # Errors
    ///
    /// [`ServiceAccountError`]; nothing was deleted.
    #[tracing::instrument(name = "core.service_account.delete", skip_all, fields(org.id = %org.org(), service_account.id = %id))]
    pub async fn delete_service_account(
        &self,
        org: &OrgCtx,
        id: ServiceAccountId,
    ) -> Result<(), ServiceAccountError> {
        let account = self.covered_account(org, id).await?.account;
        let at = self.now();
        let event = self.account_event(org, at, Action::ServiceAccountDeleted, id);
        let deletion = AccountDeletion {
            account: id,
            from: account.epoch,
            at,
            tokens_expire_at: self.all_tokens_expire_at(at),
        };
        let outcome = self
            .store()
            .delete_service_account(org, &deletion, &[event])
            .await?;
        self.published(outcome)
    }

    /// A service account whose role the caller covers: whoever changes it or makes a key for it can act as it.
    pub(super) async fn covered_account(
        &self,
        org: &OrgCtx,
        id: ServiceAccountId,
    ) -> Result<ServiceAccountView, ServiceAccountError> {
        let view = self.store().service_account(org, id).await?;
        let view = view.ok_or(ServiceAccountError::NotFound)?;
        let role = self.authority_of(org, &view.account.role).await?;
        if self.holding(org).covers(&role) {
            Ok(view)
        } else {
            Err(ServiceAccountError::Forbidden)
        }
    }

    async fn role_for_service(
        &self,
        org: &OrgCtx,
        choice: &RoleChoice,
    ) -> Result<KnownRole, ServiceAccountError> {
        if choice.name == RoleName::OWNER {
            return Err(ServiceAccountError::OwnerIsAPerson);
        }
        let given = self.role_named(org, &choice.name).await?;
        let given = given.ok_or(ServiceAccountError::UnknownRole)?;
        if !choice.is_current(given.version) {
            return Err(ServiceAccountError::Raced);
        }
        if self.holding(org).covers(&given.authority) {
            Ok(given)
        } else {
            Err(ServiceAccountError::Forbidden)
        }
    }

    fn published(&self, outcome: AccountOutcome) -> Result<(), ServiceAccountError> {
        match outcome {
            AccountOutcome::Changed(entry) => {
                self.publish(&[entry]);
                Ok(())
            }
            AccountOutcome::Raced => Err(ServiceAccountError::Raced),
        }
    }

    fn account_event(
        &self,
        org: &OrgCtx,
        at: Timestamp,
        action: Action,
        id: ServiceAccountId,
    ) -> AuditEvent {
        let on = Resource::new("service_account", id);
        self.event(at, org.caller(), action, on).in_org(org.org())
    }
}
