//! Refusals about the secrets of organizations.

use std::time::Duration;

use cyprob_secrets::service::OrgSecretError;

use super::ApiError;

/// When one comes back whom another change was faster than.
const RETRY: Duration = Duration::from_secs(1);

impl From<OrgSecretError> for ApiError {
    fn from(error: OrgSecretError) -> Self {
        match error {
            OrgSecretError::Name(_) | OrgSecretError::NotFound => Self::NotFound,
            OrgSecretError::Conflict(_) => {
                Self::Conflict("the secret is at another version; look at it again")
            }
            OrgSecretError::TooMany => {
                Self::Conflict("the organization has as many secrets as it can")
            }
            OrgSecretError::TooManyNames => Self::Conflict(
                "the organization has used as many names of secrets as it can; use one of them again",
            ),
            OrgSecretError::Busy => Self::Busy(RETRY),
            other => Self::unavailable(&other),
        }
    }
}
