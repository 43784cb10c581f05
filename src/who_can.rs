//! Who has a permission in an organization: people and service accounts by name.

use std::collections::HashMap;

use cyprob_authz::domain::policy::{Condition, Extent, Rights};
use cyprob_authz::domain::{Permission, PermissionSet};
use cyprob_core::domain::{Member, OrgCtx, Page, PageRequest, RoleName, ServiceAccountView};
use cyprob_core::ports::store::StoreError;

use crate::ControlPlane;

/// How many pages of an organization's members are looked through for one answer.
const MOST_PAGES: usize = 20;

/// One who has a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder<T> {
    /// The member or the service account.
    pub who: T,
    /// Of these one must hold; if there are none, it always counts.
    pub conditions: Vec<Condition>,
}

impl<T> Holder<T> {
    /// When, in words: `always`, or the conditions.
    #[must_use]
    pub fn when(&self) -> String {
        match self.conditions.as_slice() {
            [] => Extent::Always.to_string(),
            conditions => Extent::Conditional(conditions.iter().collect()).to_string(),
        }
    }
}

/// What the roles of one organization permit, its own before the deployment's.
struct Roles<'a> {
    plane: &'a ControlPlane,
    own: HashMap<RoleName, Rights>,
}

impl ControlPlane {
    /// The members of an organization who have a permission, in the order of the list of members.
    ///
    /// It says what their roles give, whoever asks and however a token may be
    /// narrowed; one whose account is switched off can do nothing. A page may be shorter than was asked, or empty, and not the last one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn who_can(
        &self,
        org: &OrgCtx,
        permission: Permission,
        page: &PageRequest,
    ) -> Result<Page<Holder<Member>>, StoreError> {
        let roles = self.roles_of(org).await?;
        let mut request = page.clone();
        let mut looked_through = 0;
        loop {
            let members = self.identity().members(org, &request).await?;
            let found = holding(members, |member| match member.disabled {
                true => None,
                false => roles.when(&member.role, permission),
            });
            looked_through += 1;
            match found.next {
                Some(next) if found.items.is_empty() && looked_through < MOST_PAGES => {
                    request = page.following(next);
                }
                _ => return Ok(found),
            }
        }
    }

    /// The service accounts of an organization that have a permission, in the order of their list.
    ///
    /// A condition that asks for a sign-in never holds for one. A page may be
    /// shorter than was asked, or empty, and not the last one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn which_services_can(
        &self,
        org: &OrgCtx,
        permission: Permission,
        page: &PageRequest,
    ) -> Result<Page<Holder<ServiceAccountView>>, StoreError> {
        let roles = self.roles_of(org).await?;
        let accounts = self.identity().service_accounts(org, page).await?;
        Ok(holding(accounts, |view| {
            let mut when = roles.when(&view.account.role, permission)?;
            if when.is_empty() {
                return Some(when);
            }
            when.retain(|condition| condition.aal.is_none());
            Some(when).filter(|when| !when.is_empty())
        }))
    }

    async fn roles_of(&self, org: &OrgCtx) -> Result<Roles<'_>, StoreError> {
        // An organization defines at most as many as one page holds.
        let all = PageRequest::new(PageRequest::MAX, None);
        let own = self.identity().roles(org, &all).await?;
        let own = own.items.into_iter().map(|role| {
            let permissions = PermissionSet::from(&role.permissions);
            (role.name, Rights::from(permissions))
        });
        Ok(Roles {
            plane: self,
            own: own.collect(),
        })
    }
}

impl Roles<'_> {
    /// Under which conditions a role gives a permission: none at all, if it always does.
    fn when(&self, role: &RoleName, permission: Permission) -> Option<Vec<Condition>> {
        let deployment = self.plane.access().roles();
        let rights = match self.own.get(role) {
            Some(own) => own,
            // A role that neither defines permits nothing.
            None => &deployment.get(role)?.rights,
        };
        match rights.extent(permission) {
            Extent::Never => None,
            Extent::Always => Some(Vec::new()),
            Extent::Conditional(conditions) => Some(conditions.into_iter().cloned().collect()),
        }
    }
}

fn holding<T>(page: Page<T>, when: impl Fn(&T) -> Option<Vec<Condition>>) -> Page<Holder<T>> {
    let holder = |who: T| when(&who).map(|conditions| Holder { who, conditions });
    Page {
        items: page.items.into_iter().filter_map(holder).collect(),
        next: page.next,
    }
}
