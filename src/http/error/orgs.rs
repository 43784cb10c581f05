//! Refusals about organizations.

use cyprob_core::service::{CreateOrgError, OrgError};

use super::ApiError;

/// What a person does who would lock themselves out.
const SET_UP_FIRST: &str = "set up a second factor yourself before you require one of others";

impl From<OrgError> for ApiError {
    fn from(error: OrgError) -> Self {
        match error {
            OrgError::NotFound => Self::NotFound,
            OrgError::FactorRequired => Self::FactorRequired(SET_UP_FIRST),
            OrgError::NotAPerson => {
                Self::Forbidden("whether people show a second factor is said by a person")
            }
            other => Self::unavailable(&other),
        }
    }
}

impl From<CreateOrgError> for ApiError {
    fn from(error: CreateOrgError) -> Self {
        match error {
            CreateOrgError::SlugTaken => Self::Conflict("another organization has the slug"),
            other => Self::unavailable(&other),
        }
    }
}
