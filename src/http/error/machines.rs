//! Refusals about own roles, service accounts and their keys.

use cyprob_core::service::{ExchangeError, KeyError, RoleError, ServiceAccountError};

use super::ApiError;

const ABOVE: &str = "the role permits more than your own; ask one who holds it";

impl From<RoleError> for ApiError {
    fn from(error: RoleError) -> Self {
        match error {
            RoleError::NotFound => Self::NotFound,
            RoleError::Builtin => Self::Conflict("a built-in role cannot be changed"),
            RoleError::NameTaken => Self::Conflict("the organization has a role of this name"),
            RoleError::UnknownPermission => {
                Self::field("permissions", "names one that is not in the catalogue")
            }
            RoleError::Forbidden => Self::Forbidden(ABOVE),
            RoleError::TooMany => Self::Conflict("the organization has as many roles as it can"),
            RoleError::InUse(by) => Self::InUse(by),
            RoleError::Raced => Self::Conflict("the role changed meanwhile; try again"),
            other => Self::unavailable(&other),
        }
    }
}

impl From<ServiceAccountError> for ApiError {
    fn from(error: ServiceAccountError) -> Self {
        use ServiceAccountError as E;
        match error {
            E::NotFound => Self::NotFound,
            E::UnknownRole => Self::field("role", "is no role of this organization"),
            E::OwnerIsAPerson => Self::field("role", "owners are people"),
            E::NotAMember => Self::field("owner", "is no member of this organization"),
            E::Forbidden => Self::Forbidden(ABOVE),
            E::TooMany => Self::Conflict("the organization has as many service accounts as it can"),
            E::Raced => Self::Conflict("the service account changed meanwhile; try again"),
            other => Self::unavailable(&other),
        }
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Expiry => Self::field("expires_at", "is past, or too far away"),
            KeyError::Full => Self::Conflict("two keys are live; revoke one of them first"),
            KeyError::Account(error) => error.into(),
            other => Self::unavailable(&other),
        }
    }
}

impl From<ExchangeError> for ApiError {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::InvalidKey => Self::InvalidGrant,
            ExchangeError::SlowDown(error) => error.into(),
            other => Self::unavailable(&other),
        }
    }
}
