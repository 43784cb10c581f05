//! Types and pure rules: no I/O, no clock, no randomness, no async.

mod cidr;
mod claims;
mod decision;
mod explanation;
mod key_plan;
mod key_purpose;
mod key_ring;
mod key_view;
mod narrowing;
mod permission;
mod permission_set;
pub mod policy;
mod principal;
mod role_catalog;
mod taken;

pub use cidr::{Cidr, CidrError, containing_prefixes};
pub use claims::{
    AccessClaims, Audience, AudienceError, Claims, JobClaims, OrgClaims, RuleSetDigest,
    ServiceClaims,
};
pub(crate) use decision::scope;
pub use decision::{Decision, Demand, DenyCode, Need, Rule, STEP_UP_AGE, decide};
pub use key_plan::{KEY_LEAD, KEY_TERM, KeyPlan, NewKey, PlanError, PlannedKey};
pub use key_purpose::{KeyPurpose, UnknownPurpose};
pub use key_ring::{KeyRing, KeyRingError, KeyStatus, PublishedKey, RingKey, RootKeyId};
pub use key_view::KeyView;
pub use narrowing::{Narrowing, Narrowings};
pub use permission::{
    OrgPermission, Permission, SystemMarker, SystemPermission, UnknownPermission, org, system,
};
pub use permission_set::{PermissionSet, SystemPermissionSet};
pub use principal::{Person, Principal, Verified, VerifiedToken};
pub use role_catalog::{RoleCatalog, RoleCatalogError, RoleDefinition};
pub use taken::Taken;
