//! What the API answers when it does not answer what was asked.

mod keys;
mod machines;
mod orgs;
mod recovery;
mod secrets;

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use cyprob_audit::service::TrailError;
use cyprob_authz::http::{Problem, ProblemCode};
use cyprob_authz::service::MintError;
use cyprob_core::domain::RoleUse;
use cyprob_core::ports::HashError;
use cyprob_core::ports::store::StoreError;
use cyprob_core::service::{
    AcceptError, BootstrapError, InviteError, MemberError, PasswordError, RefreshError,
    ReviewError, SignInError, SlowDown, SwitchOnError,
};
use cyprob_plugins::service::runs::{InstallError, RunRequestError};

use super::dto::DiagnosticAnswer;
use crate::error_chain;

/// When one whose queue is full comes back.
const QUEUE_RETRY: Duration = Duration::from_secs(10);

/// What a person does whom an organization does not let in without a second factor.
const SET_UP: &str =
    "set up a second factor with POST /api/v1/me/totp and its confirmation, then sign in with it";
/// The same, for one who named the organization at sign-in.
const SET_UP_UNNAMED: &str =
    "sign in without naming the organization, and set up a second factor with POST /api/v1/me/totp";

/// What one does whose key was used before.
const KEY_USED: &str =
    "was used for another request; send this one under a new key, or the first one as it was";

/// An answer that is no success; each has its code in the contract.
///
/// A cause is logged where it is turned into this type and goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// 401 `invalid_credentials`.
    InvalidCredentials,
    /// 401 `invalid_grant`.
    InvalidGrant,
    /// 401 `invalid_token`: a single-use token or an access token that is not good.
    InvalidToken,
    /// 401 `sign_in_required`.
    SignInRequired(&'static str),
    /// 401 `mfa_required`.
    MfaRequired,
    /// 401 `factor_required`, with the remedy.
    FactorRequired(&'static str),
    /// 403 `forbidden`.
    Forbidden(&'static str),
    /// 404 `not_found`.
    NotFound,
    /// 409 `conflict`.
    Conflict(&'static str),
    /// 409 `conflict`, with who uses the role.
    InUse(RoleUse),
    /// 409 `version_exists`.
    VersionExists,
    /// 422 `invalid_plugin`, with the diagnostics as JSON.
    InvalidPlugin(serde_json::Value),
    /// 409 `last_owner`.
    LastOwner,
    /// 400 `invalid_body`.
    InvalidBody(String),
    /// 422 `unknown_field`.
    UnknownField(String),
    /// 422 `invalid_field`.
    InvalidField {
        /// The field's path.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// 422 `weak_password`.
    WeakPassword(cyprob_core::domain::WeakPassword),
    /// 400 `invalid_cursor`.
    InvalidCursor,
    /// 413 `too_large`, with the bound in bytes.
    TooLarge(usize),
    /// 415 `unsupported_media_type`, with what is taken.
    UnsupportedMediaType(&'static str),
    /// 429 `slow_down`.
    SlowDown(Duration),
    /// 503 `busy`.
    Busy(Duration),
    /// 503 `unavailable`.
    Unavailable,
    /// 500 `internal`.
    Internal,
}

impl ApiError {
    /// Logs the chain of causes once and answers 503.
    pub(crate) fn unavailable(error: &dyn std::error::Error) -> Self {
        tracing::error!(chain = %error_chain(error), "a part is unavailable");
        Self::Unavailable
    }

    pub(crate) fn field(field: &str, reason: &str) -> Self {
        Self::InvalidField {
            field: field.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        use ApiError as E;
        use ProblemCode as C;
        let plain = Self::new;
        match error {
            E::InvalidCredentials => plain(C::InvalidCredentials),
            E::InvalidGrant => plain(C::InvalidGrant),
            E::InvalidToken => plain(C::InvalidToken),
            E::SignInRequired(detail) => plain(C::SignInRequired).detail(detail),
            E::MfaRequired => plain(C::MfaRequired),
            E::FactorRequired(detail) => plain(C::FactorRequired).detail(detail),
            E::Forbidden(detail) => plain(C::Forbidden).detail(detail),
            E::NotFound => plain(C::NotFound),
            E::Conflict(detail) => plain(C::Conflict).detail(detail),
            E::InUse(by) => plain(C::Conflict)
                .detail("the role is in use; give its holders another one first")
                .with(
                    "used_by",
                    serde_json::json!({
                        "members": by.members,
                        "service_accounts": by.service_accounts,
                        "invitations": by.invitations,
                    }),
                ),
            E::VersionExists => plain(C::VersionExists),
            E::InvalidPlugin(diagnostics) => {
                plain(C::InvalidPlugin).with("diagnostics", diagnostics)
            }
            E::LastOwner => plain(C::LastOwner),
            E::InvalidBody(detail) => plain(C::InvalidBody).detail(detail),
            E::UnknownField(field) => plain(C::UnknownField)
                .detail(format!("{field} is not known"))
                .with("field", field),
            E::InvalidField { field, reason } => plain(C::InvalidField)
                .detail(format!("{field} {reason}"))
                .with("field", field),
            E::WeakPassword(weak) => plain(C::WeakPassword)
                .detail(weak.to_string())
                .with("reason", weak.as_str()),
            E::InvalidCursor => plain(C::InvalidCursor),
            E::TooLarge(limit) => {
                plain(C::TooLarge).detail(format!("at most {limit} bytes are taken"))
            }
            E::UnsupportedMediaType(taken) => {
                plain(C::UnsupportedMediaType).detail(format!("this route takes {taken}"))
            }
            E::SlowDown(after) => plain(C::SlowDown).retry_after(after),
            E::Busy(after) => plain(C::Busy).retry_after(after),
            E::Unavailable => plain(C::Unavailable),
            E::Internal => plain(C::Internal),
        }
    }
}

impl From<SlowDown> for ApiError {
    fn from(error: SlowDown) -> Self {
        Self::SlowDown(error.retry_after)
    }
}

impl From<SwitchOnError> for ApiError {
    fn from(error: SwitchOnError) -> Self {
        match error {
            SwitchOnError::NotFound => Self::NotFound,
            other => Self::unavailable(&other),
        }
    }
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy { retry_after } => Self::Busy(retry_after),
            other => Self::unavailable(&other),
        }
    }
}

impl From<MintError> for ApiError {
    fn from(error: MintError) -> Self {
        // The session ends within this second: nothing can be given out for it any more.
        if matches!(error, MintError::Lifetime) {
            return Self::InvalidGrant;
        }
        if matches!(error, MintError::NoSigner | MintError::Sign(_)) {
            return Self::unavailable(&error);
        }
        tracing::error!(chain = %error_chain(&error), "a token cannot be minted");
        Self::Internal
    }
}

impl From<InstallError> for ApiError {
    fn from(error: InstallError) -> Self {
        match error {
            InstallError::Invalid(diagnostics) => {
                let told: Vec<_> = diagnostics.iter().map(DiagnosticAnswer::of).collect();
                Self::InvalidPlugin(serde_json::json!(told))
            }
            InstallError::VersionExists => Self::VersionExists,
            other => Self::unavailable(&other),
        }
    }
}

impl From<RunRequestError> for ApiError {
    fn from(error: RunRequestError) -> Self {
        match error {
            RunRequestError::Facts(fault) => {
                let place = format!("line {}, column {}", fault.line, fault.column);
                Self::field(
                    "facts",
                    &format!("{}: {} ({})", place, fault.message, fault.code),
                )
            }
            RunRequestError::NoFacts => Self::field("facts", "has no facts"),
            RunRequestError::UnknownPlugin(_) => {
                Self::field("plugins", "names one that is not installed or not enabled")
            }
            RunRequestError::NoPlugins => {
                Self::field("plugins", "there is none, and none is enabled")
            }
            RunRequestError::TooManyPlugins => Self::field(
                "plugins",
                "are more than 1000, or more than 32 MiB together",
            ),
            RunRequestError::TooManyTags => Self::field("tags", "are more than 16"),
            RunRequestError::Outside => Self::Forbidden("the role permits no run with these tags"),
            RunRequestError::KeyUsed => Self::field("Idempotency-Key", KEY_USED),
            RunRequestError::NotFound => Self::NotFound,
            RunRequestError::TooManyRuns => Self::SlowDown(QUEUE_RETRY),
            other => Self::unavailable(&other),
        }
    }
}

impl From<TrailError> for ApiError {
    fn from(error: TrailError) -> Self {
        match error {
            TrailError::Cursor => Self::InvalidCursor,
            other => Self::unavailable(&other),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::InvalidCredentials => Self::InvalidCredentials,
            SignInError::MfaRequired => Self::MfaRequired,
            SignInError::FactorRequired => Self::FactorRequired(SET_UP_UNNAMED),
            SignInError::OrgNotFound => Self::NotFound,
            SignInError::SlowDown(error) => error.into(),
            SignInError::Hash(error) => error.into(),
            other => Self::unavailable(&other),
        }
    }
}

impl From<RefreshError> for ApiError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::InvalidGrant => Self::InvalidGrant,
            RefreshError::OrgNotFound => Self::NotFound,
            RefreshError::SlowDown(error) => error.into(),
            RefreshError::SignInRequired => {
                Self::SignInRequired("the organization asks for a new sign-in")
            }
            RefreshError::FactorRequired => Self::FactorRequired(SET_UP),
            other => Self::unavailable(&other),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::InvalidCredentials => Self::InvalidCredentials,
            PasswordError::Weak(weak) => Self::WeakPassword(weak),
            PasswordError::Raced => Self::Conflict("the account changed meanwhile; try again"),
            PasswordError::SlowDown(error) => error.into(),
            PasswordError::Hash(error) => error.into(),
            other => Self::unavailable(&other),
        }
    }
}

impl From<BootstrapError> for ApiError {
    fn from(error: BootstrapError) -> Self {
        match error {
            BootstrapError::Closed => Self::NotFound,
            BootstrapError::InvalidToken => Self::InvalidToken,
            BootstrapError::Weak(weak) => Self::WeakPassword(weak),
            BootstrapError::SlowDown(error) => error.into(),
            BootstrapError::Hash(error) => error.into(),
            other => Self::unavailable(&other),
        }
    }
}

impl From<AcceptError> for ApiError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::InvalidToken => Self::InvalidToken,
            AcceptError::SignInRequired => {
                Self::SignInRequired("the address has an account; sign in and accept with it")
            }
            AcceptError::Forbidden => Self::Forbidden(
                "the invitation is for another person, or the account's address was never verified",
            ),
            AcceptError::AccountNeeded => Self::field(
                "password",
                "name and password are needed to make the account",
            ),
            AcceptError::RoleChanged => Self::Conflict("the role changed meanwhile; try again"),
            AcceptError::AlreadyMember => Self::Conflict("already a member of the organization"),
            AcceptError::Weak(weak) => Self::WeakPassword(weak),
            AcceptError::SlowDown(error) => error.into(),
            AcceptError::Hash(error) => error.into(),
            other => Self::unavailable(&other),
        }
    }
}

impl From<InviteError> for ApiError {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::UnknownRole => Self::field("role", "is no role of this organization"),
            InviteError::RoleChanged => {
                Self::Conflict("the role changed meanwhile; look at it again")
            }
            InviteError::Forbidden => {
                Self::Forbidden("the role permits more than your own; ask one who holds it")
            }
            other => Self::unavailable(&other),
        }
    }
}

impl From<MemberError> for ApiError {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::NotFound => Self::NotFound,
            MemberError::UnknownRole => Self::field("role", "is no role of this organization"),
            MemberError::Forbidden => {
                Self::Forbidden("the role permits more than your own; ask one who holds it")
            }
            MemberError::LastOwner => Self::LastOwner,
            MemberError::Raced => {
                Self::Conflict("the membership or the role changed meanwhile; look again")
            }
            other => Self::unavailable(&other),
        }
    }
}

impl From<ReviewError> for ApiError {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::NotFound => Self::NotFound,
            ReviewError::NotAPerson => Self::Forbidden("a review is opened and signed by a person"),
            ReviewError::Changed => {
                Self::Conflict("the roles are not those of the review; open another one")
            }
            ReviewError::AlreadySigned => Self::Conflict("the review is signed already"),
            other => Self::unavailable(&other),
        }
    }
}
