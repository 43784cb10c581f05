//! Machines that act in one organization.

use super::{
    DisplayName, Epoch, KeyId, OrgId, OrgSlug, RoleName, RoleVersion, ServiceAccountId, Timestamp,
    TokenDigest, UserId,
};

/// How many keys of one service account can live at once: one in use and one to change over to.
pub const MAX_LIVE_KEYS: usize = 2;

/// A machine that acts in one organization, in a role of its own.
///
/// It is no person: it has no password, no session and no part in any other
/// organization. Somebody answers for it, and it outlives their membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its id.
    pub id: ServiceAccountId,
    /// What it is called.
    pub name: DisplayName,
    /// Its role; never [`RoleName::OWNER`].
    pub role: RoleName,
    /// Who answers for it: whoever made it, until it is given to another.
    pub owner: UserId,
    /// Ends its tokens when it grows.
    pub epoch: Epoch,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key of a service account, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceKey {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub account: ServiceAccountId,
    /// The hash of its text.
    pub digest: TokenDigest,
    /// When it was made.
    pub created_at: Timestamp,
    /// It is good while `at < expires_at`.
    pub expires_at: Timestamp,
    /// The hour in which it was last exchanged, if ever.
    pub last_used: Option<Timestamp>,
}

/// A service account as its organization sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountView {
    /// The account.
    pub account: ServiceAccount,
    /// Whether the one who answers for it is a member no more.
    pub owner_left: bool,
    /// Its keys that are not revoked, oldest first; those whose time has passed are among them until they are revoked.
    pub keys: Vec<ServiceKey>,
}

/// A key with everything that its exchange is decided by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    /// The key.
    pub key: ServiceKey,
    /// Its account.
    pub account: ServiceAccount,
    /// The account's organization.
    pub org: OrgId,
    /// The organization's short name.
    pub slug: OrgSlug,
    /// The version of the account's role, where the organization defined it.
    pub version: Option<RoleVersion>,
}
