//! Roles that organizations defined, in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use cyprob_core::domain::{CustomRole, OrgCtx, RoleId};

use crate::ports::{RoleSource, RoleSourceError};

/// Keeps roles, and counts how often it was asked.
#[derive(Debug, Default)]
pub struct MemoryRoles {
    roles: Mutex<HashMap<RoleId, CustomRole>>,
    asked: AtomicUsize,
}

impl MemoryRoles {
    /// Puts a role in force, in place of an older version of it.
    pub fn put(&self, role: CustomRole) {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        roles.insert(role.version.id, role);
    }

    /// Takes a role out.
    pub fn remove(&self, id: RoleId) {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        roles.remove(&id);
    }

    /// How often it was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl RoleSource for MemoryRoles {
    async fn role(&self, _: &OrgCtx, id: RoleId) -> Result<Option<CustomRole>, RoleSourceError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(roles.get(&id).cloned())
    }
}
