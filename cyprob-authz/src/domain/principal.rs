//! Who calls, once the token is verified.

use std::sync::Arc;

use super::{AccessClaims, Narrowings, PermissionSet, RootKeyId};

/// A token whose shape and signatures held: what the cache keeps.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    pub(crate) key: RootKeyId,
    pub(crate) claims: AccessClaims,
    pub(crate) narrowings: Narrowings,
}

impl VerifiedToken {
    /// The key that signed it.
    #[must_use]
    pub const fn key(&self) -> RootKeyId {
        self.key
    }

    /// What it says.
    #[must_use]
    pub const fn claims(&self) -> &AccessClaims {
        &self.claims
    }

    /// How its holder narrowed it.
    #[must_use]
    pub const fn narrowings(&self) -> &Narrowings {
        &self.narrowings
    }
}

/// A caller: a verified token and what its role permits at this moment.
#[derive(Clone, Debug)]
pub struct Principal {
    token: Arc<VerifiedToken>,
    role: PermissionSet,
}

impl Principal {
    pub(crate) const fn new(token: Arc<VerifiedToken>, role: PermissionSet) -> Self {
        Self { token, role }
    }

    /// What the token says.
    #[must_use]
    pub fn claims(&self) -> &AccessClaims {
        &self.token.claims
    }

    /// How the holder narrowed the token.
    #[must_use]
    pub fn narrowings(&self) -> &Narrowings {
        &self.token.narrowings
    }

    /// What the role permits, narrowings apart.
    #[must_use]
    pub const fn role_permissions(&self) -> PermissionSet {
        self.role
    }

    /// What the caller may do in the token's organization: what the role permits, less what the holder took away.
    #[must_use]
    pub fn permissions(&self) -> PermissionSet {
        self.role.and(self.token.narrowings.permissions())
    }
}
