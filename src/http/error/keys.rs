//! Refusals about the keys that sign tokens.

use cyprob_authz::domain::PlanError;
use cyprob_authz::service::KeyOperationError;

use super::ApiError;

impl From<KeyOperationError> for ApiError {
    fn from(error: KeyOperationError) -> Self {
        match error {
            KeyOperationError::Plan(PlanError::Pending { .. }) => {
                Self::Conflict("a new key is published and does not sign yet; wait, or revoke it")
            }
            KeyOperationError::Plan(PlanError::Full) => {
                Self::Conflict("the ring has as many keys as it may; wait some minutes")
            }
            KeyOperationError::Plan(PlanError::Unknown(_)) => Self::NotFound,
            other => Self::unavailable(&other),
        }
    }
}
