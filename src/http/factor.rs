//! The second factor of the signed-in person, and its reset by the deployment's administrator.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cyprob_authz::http::{Auth, Authenticated, StepUp, System, perm};
use cyprob_core::domain::{FactorCode, UserId};
use cyprob_core::service::{FactorError, StepUpError};
use http::StatusCode;

use super::body::Body;
use super::dto::{
    ActivatedFactorAnswer, BeginFactorRequest, ConfirmFactorRequest, FactorAnswer, NewFactorAnswer,
    RecoveryCodesAnswer, RemoveFactorRequest, TokenPair,
};
use super::me::Reissue;
use super::path::PathId;
use super::{ApiError, ApiState};

/// `GET /api/v1/me/totp`.
#[utoipa::path(get, path = "", operation_id = "factor_read", tag = "me", responses((status = 200, description = "as asked", body = FactorAnswer)))]
pub(crate) async fn read(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
) -> Result<Json<FactorAnswer>, ApiError> {
    let factor = api.identity().second_factor(auth.ctx()).await?;
    Ok(Json(FactorAnswer::of(factor.as_ref())))
}

/// `POST /api/v1/me/totp`.
#[utoipa::path(post, path = "", operation_id = "factor_begin", tag = "me", request_body = BeginFactorRequest, responses((status = 201, description = "as asked", body = NewFactorAnswer)))]
pub(crate) async fn begin(
    auth: Auth<StepUp<Authenticated>>,
    State(api): State<ApiState>,
    Body(body): Body<BeginFactorRequest>,
) -> Result<(StatusCode, Json<NewFactorAnswer>), ApiError> {
    // Who has no factor yet shows none; what is none is said to them as well.
    if body
        .totp
        .as_ref()
        .is_some_and(|code| FactorCode::parse(code).is_err())
    {
        let why = "is neither six digits nor a recovery code";
        return Err(ApiError::field("totp", why));
    }
    let new = api
        .identity()
        .begin_factor(auth.ctx(), body.totp.as_ref())
        .await?;
    let issuer = api.plane().audience().as_str();
    Ok((StatusCode::CREATED, Json(NewFactorAnswer::of(&new, issuer))))
}

/// `POST /api/v1/me/totp/confirm`.
#[utoipa::path(post, path = "", operation_id = "factor_confirm", tag = "me", request_body = ConfirmFactorRequest, responses((status = 200, description = "as asked", body = ActivatedFactorAnswer)))]
pub(crate) async fn confirm(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
    Reissue(reissue): Reissue,
    Body(body): Body<ConfirmFactorRequest>,
) -> Result<Json<ActivatedFactorAnswer>, ApiError> {
    if reissue {
        api.plane().ready_to_mint().await?;
    }
    let activated = api
        .identity()
        .confirm_factor(auth.ctx(), &body.code, reissue)
        .await?;
    let tokens = activated.signed_in.as_ref();
    let tokens = match tokens {
        // The codes are shown once, so they are given though no token is: the failure was logged
        // where it became an answer, and the client signs in again.
        Some(signed_in) => api.token_pair(signed_in).await.ok(),
        None => None,
    };
    Ok(Json(ActivatedFactorAnswer::new(
        &activated.recovery_codes,
        tokens,
    )))
}

/// `DELETE /api/v1/me/totp`.
#[utoipa::path(delete, path = "", operation_id = "factor_remove", tag = "me", request_body = RemoveFactorRequest, responses((status = 200, description = "as asked", body = TokenPair), (status = 204, description = "as asked")))]
pub(crate) async fn remove(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
    Reissue(reissue): Reissue,
    Body(body): Body<RemoveFactorRequest>,
) -> Result<Response, ApiError> {
    if reissue {
        api.plane().ready_to_mint().await?;
    }
    let removed = api
        .identity()
        .remove_factor(auth.ctx(), body.password, &body.totp, reissue)
        .await?;
    match removed {
        Some(signed_in) => Ok(Json(api.token_pair(&signed_in).await?).into_response()),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// `POST /api/v1/me/totp/recovery-codes`.
#[utoipa::path(post, path = "", operation_id = "factor_recovery_codes", tag = "me", responses((status = 200, description = "as asked", body = RecoveryCodesAnswer)))]
pub(crate) async fn recovery_codes(
    auth: Auth<StepUp<Authenticated>>,
    State(api): State<ApiState>,
    _: super::body::NoBody,
) -> Result<Json<RecoveryCodesAnswer>, ApiError> {
    let codes = api.identity().replace_recovery_codes(auth.ctx()).await?;
    Ok(Json(RecoveryCodesAnswer::new(&codes)))
}

/// `POST /api/v1/system/users/{user}/factor/reset`.
#[utoipa::path(post, path = "", operation_id = "system_reset_factor", tag = "system", responses((status = 204, description = "as asked")))]
pub(crate) async fn reset(
    auth: Auth<System<perm::SystemFactorsReset>>,
    State(api): State<ApiState>,
    PathId(user): PathId<UserId>,
    _: super::body::NoBody,
) -> Result<StatusCode, ApiError> {
    api.identity().reset_factor(auth.ctx(), user).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<StepUpError> for ApiError {
    fn from(error: StepUpError) -> Self {
        match error {
            StepUpError::InvalidGrant => Self::InvalidGrant,
            StepUpError::InvalidCredentials => Self::InvalidCredentials,
            StepUpError::MfaRequired => Self::MfaRequired,
            StepUpError::PasswordNeeded => Self::field("password", "is missing"),
            StepUpError::Raced => Self::Conflict("the session was renewed meanwhile; try again"),
            StepUpError::SlowDown(error) => error.into(),
            StepUpError::Hash(error) => error.into(),
            other => Self::unavailable(&other),
        }
    }
}

impl From<FactorError> for ApiError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::InvalidGrant => Self::InvalidGrant,
            FactorError::MfaRequired => Self::MfaRequired,
            FactorError::InvalidCredentials => Self::InvalidCredentials,
            FactorError::WrongCode => {
                Self::field("code", "is not what the new application shows now")
            }
            FactorError::NoEnrolment => {
                Self::Conflict("this session has begun no second factor, or over ten minutes ago")
            }
            FactorError::NoFactor => Self::NotFound,
            FactorError::Required => {
                Self::Conflict("an organization of yours requires a second factor")
            }
            FactorError::Weak(weak) => Self::WeakPassword(weak),
            FactorError::Raced => Self::Conflict("the account changed meanwhile; try again"),
            FactorError::SlowDown(error) => error.into(),
            FactorError::Hash(error) => error.into(),
            other => Self::unavailable(&other),
        }
    }
}
