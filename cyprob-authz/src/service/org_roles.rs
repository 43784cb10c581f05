//! What roles permit, for those who check tokens.
//!
//! A token names its role and, where the organization defined it, the version.
//! What a version permits never changes, so what is remembered here is never
//! stale: an edit makes another version, and the revocation view ends the
//! tokens of those before. A version that nobody asked for yet is read once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use cyprob_core::domain::{CustomRole, RoleName, RoleVersion};

use crate::domain::policy::Rights;
use crate::domain::{OrgClaims, PermissionSet, RoleCatalog};
use crate::ports::RoleSource;

/// How many versions are remembered; past it all are forgotten, and read again when they are asked for.
const MOST_VERSIONS: usize = 16_384;

/// The deployment's roles, and the versions of organizations' own that were asked for.
#[derive(Debug)]
pub(crate) struct OrgRoles {
    catalog: Arc<RoleCatalog>,
    source: Arc<dyn RoleSource>,
    known: RwLock<HashMap<RoleVersion, Arc<Rights>>>,
}

impl OrgRoles {
    pub(crate) fn new(catalog: Arc<RoleCatalog>, source: Arc<dyn RoleSource>) -> Self {
        Self {
            catalog,
            source,
            known: RwLock::default(),
        }
    }

    pub(crate) fn catalog(&self) -> &RoleCatalog {
        &self.catalog
    }

    pub(crate) fn source(&self) -> &dyn RoleSource {
        self.source.as_ref()
    }

    /// What the role permits; none if that version was not read yet.
    pub(crate) fn rights(&self, org: &OrgClaims) -> Option<Arc<Rights>> {
        let Some(version) = &org.version else {
            return Some(rights_in(&self.catalog, &org.role));
        };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(version).map(Arc::clone)
    }

    /// Remembers what a version permits.
    pub(crate) fn learn(&self, role: &CustomRole) {
        let permissions = PermissionSet::from(&role.permissions);
        let rights = Arc::new(permissions.into());
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_VERSIONS {
            known.clear();
        }
        known.insert(role.version, rights);
    }
}

/// What a role of a catalogue permits; nothing, if it has none of this name.
pub(super) fn rights_in(catalog: &RoleCatalog, role: &RoleName) -> Arc<Rights> {
    let found = catalog.get(role);
    found.map_or_else(Arc::default, |role| Arc::clone(&role.rights))
}
