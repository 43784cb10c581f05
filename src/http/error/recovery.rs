//! Forgotten passwords, changed addresses, switched accounts.

use std::time::Duration;

use cyprob_core::service::{AccountError, EmailError, EmailTokenError, ResetError};

use super::ApiError;

/// When one who asked for a mail a moment ago may ask again.
const MAIL_RETRY: Duration = Duration::from_secs(60);

impl From<ResetError> for ApiError {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::InvalidToken => Self::InvalidGrant,
            ResetError::Weak(weak) => Self::WeakPassword(weak),
            ResetError::SlowDown(error) => error.into(),
            ResetError::Hash(error) => error.into(),
            other => Self::unavailable(&other),
        }
    }
}

impl From<EmailError> for ApiError {
    fn from(error: EmailError) -> Self {
        match error {
            EmailError::InvalidCredentials => Self::InvalidCredentials,
            EmailError::TooSoon => Self::SlowDown(MAIL_RETRY),
            EmailError::Unchanged => Self::field("email", "is the account's already"),
            EmailError::SlowDown(error) => error.into(),
            EmailError::Raced => Self::Conflict("the account changed meanwhile; try again"),
            EmailError::Hash(error) => error.into(),
            other => Self::unavailable(&other),
        }
    }
}

impl From<EmailTokenError> for ApiError {
    fn from(error: EmailTokenError) -> Self {
        match error {
            EmailTokenError::InvalidToken => Self::InvalidGrant,
            EmailTokenError::SlowDown(error) => error.into(),
            EmailTokenError::Taken => Self::Conflict("another account has the address"),
            other => Self::unavailable(&other),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotFound => Self::NotFound,
            AccountError::LastAdministrator => Self::Conflict("the last administrator stays"),
            other => Self::unavailable(&other),
        }
    }
}
