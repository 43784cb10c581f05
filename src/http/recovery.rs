//! A forgotten password, and the address of an account.

use axum::Json;
use axum::extract::State;
use cyprob_authz::http::{Auth, Authenticated, Public, StepUp};
use http::StatusCode;

use super::body::{Body, NoBody};
use super::dto::{EmailRequest, ResetConfirmRequest, ResetRequest, TakenAnswer, TokenRequest};
use super::{ApiError, ApiState};

/// What is answered to whoever asks for a mail.
const fn taken() -> (StatusCode, Json<TakenAnswer>) {
    (StatusCode::ACCEPTED, Json(TakenAnswer { accepted: true }))
}

/// `POST /api/v1/auth/password-reset`.
///
/// The answer is the same for every address, and given before anything is looked for.
#[utoipa::path(post, path = "", operation_id = "auth_password_reset", tag = "auth", request_body = ResetRequest, responses((status = 202, description = "as asked", body = TakenAnswer)))]
pub(crate) async fn request_reset(
    auth: Auth<Public>,
    State(api): State<ApiState>,
    Body(body): Body<ResetRequest>,
) -> Result<(StatusCode, Json<TakenAnswer>), ApiError> {
    let asked = api.identity().request_reset(body.email, auth.ctx());
    api.late().answer(asked).await?;
    Ok(taken())
}

/// `POST /api/v1/auth/password-reset/confirm`.
#[utoipa::path(post, path = "", operation_id = "auth_password_reset_confirm", tag = "auth", request_body = ResetConfirmRequest, responses((status = 204, description = "as asked")))]
pub(crate) async fn confirm_reset(
    auth: Auth<Public>,
    State(api): State<ApiState>,
    Body(body): Body<ResetConfirmRequest>,
) -> Result<StatusCode, ApiError> {
    let reset = api
        .identity()
        .reset_password(&body.token, body.password, auth.ctx())
        .await;
    api.late().answer(reset).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/me/email`.
#[utoipa::path(post, path = "", operation_id = "me_email", tag = "me", request_body = EmailRequest, responses((status = 202, description = "as asked", body = TakenAnswer)))]
pub(crate) async fn change_email(
    auth: Auth<StepUp<Authenticated>>,
    State(api): State<ApiState>,
    Body(body): Body<EmailRequest>,
) -> Result<(StatusCode, Json<TakenAnswer>), ApiError> {
    api.identity()
        .request_email(auth.ctx(), body.email, body.password)
        .await?;
    Ok(taken())
}

/// `POST /api/v1/me/email/verify`.
#[utoipa::path(post, path = "", operation_id = "me_email_verify", tag = "me", responses((status = 202, description = "as asked", body = TakenAnswer)))]
pub(crate) async fn verify_email(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
    _: NoBody,
) -> Result<(StatusCode, Json<TakenAnswer>), ApiError> {
    api.identity().request_verification(auth.ctx()).await?;
    Ok(taken())
}

/// `POST /api/v1/auth/email-change/confirm`.
#[utoipa::path(post, path = "", operation_id = "auth_email_change_confirm", tag = "auth", request_body = TokenRequest, responses((status = 204, description = "as asked")))]
pub(crate) async fn confirm_email(
    auth: Auth<Public>,
    State(api): State<ApiState>,
    Body(body): Body<TokenRequest>,
) -> Result<StatusCode, ApiError> {
    let confirmed = api.identity().confirm_email(&body.token, auth.ctx()).await;
    api.late().answer(confirmed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/auth/email-change/object`.
#[utoipa::path(post, path = "", operation_id = "auth_email_change_object", tag = "auth", request_body = TokenRequest, responses((status = 204, description = "as asked")))]
pub(crate) async fn object_to_email(
    auth: Auth<Public>,
    State(api): State<ApiState>,
    Body(body): Body<TokenRequest>,
) -> Result<StatusCode, ApiError> {
    let objected = api
        .identity()
        .object_to_email(&body.token, auth.ctx())
        .await;
    api.late().answer(objected).await?;
    Ok(StatusCode::NO_CONTENT)
}
