//! Sign-in, refresh, sign-out and bootstrap.

use axum::Json;
use axum::extract::State;
use cyprob_authz::http::{Auth, Authenticated, Public};
use cyprob_core::domain::OrgRef;
use cyprob_core::service::{Credentials, FirstAdministrator};
use http::StatusCode;

use super::body::{Body, NoBody, Object};
use super::dto::{
    BootstrapRequest, LoginRequest, PersonInOrgAnswer, RefreshRequest, StepUpRequest, TokenPair,
};
use super::{ApiError, ApiState};

fn org_ref(org: Option<&str>) -> Result<Option<OrgRef>, ApiError> {
    let parsed = org.map(str::parse).transpose();
    parsed.map_err(|_| ApiError::field("org", "is no organization id and no slug"))
}

/// `POST /api/v1/auth/login`.
#[utoipa::path(post, path = "", operation_id = "auth_login", tag = "auth", request_body = LoginRequest, responses((status = 200, description = "as asked", body = TokenPair)))]
pub(crate) async fn login(
    auth: Auth<Public>,
    State(api): State<ApiState>,
    Body(body): Body<LoginRequest>,
) -> Result<Json<TokenPair>, ApiError> {
    let org = org_ref(body.org.as_deref())?;
    let credentials = Credentials {
        email: body.email,
        password: body.password,
        org,
        device_token: body.device_token,
        totp: body.totp,
    };
    api.plane().ready_to_mint().await?;
    let signed_in = api.identity().sign_in(credentials, auth.ctx()).await;
    let signed_in = api.late().answer(signed_in).await?;
    api.token_pair(&signed_in).await.map(Json)
}

/// `POST /api/v1/auth/refresh`.
#[utoipa::path(post, path = "", operation_id = "auth_refresh", tag = "auth", request_body = RefreshRequest, responses((status = 200, description = "as asked", body = TokenPair)))]
pub(crate) async fn refresh(
    auth: Auth<Public>,
    State(api): State<ApiState>,
    Body(body): Body<RefreshRequest>,
) -> Result<Json<TokenPair>, ApiError> {
    let org = org_ref(body.org.as_deref())?;
    api.plane().ready_to_mint().await?;
    let signed_in = api
        .identity()
        .refresh(&body.refresh_token, org.as_ref(), auth.ctx())
        .await;
    let signed_in = api.late().answer(signed_in).await?;
    api.token_pair(&signed_in).await.map(Json)
}

/// `POST /api/v1/auth/step-up`.
#[utoipa::path(post, path = "", operation_id = "auth_step_up", tag = "auth", request_body = StepUpRequest, responses((status = 200, description = "as asked", body = TokenPair)))]
pub(crate) async fn step_up(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
    Body(body): Body<StepUpRequest>,
) -> Result<Json<TokenPair>, ApiError> {
    let org = auth.principal().claims().org.as_ref().map(|org| org.id);
    api.plane().ready_to_mint().await?;
    let signed_in = api
        .identity()
        .step_up(auth.ctx(), org, body.password, body.totp.as_ref())
        .await?;
    api.token_pair(&signed_in).await.map(Json)
}

/// `POST /api/v1/auth/logout`.
#[utoipa::path(post, path = "", operation_id = "auth_logout", tag = "auth", responses((status = 204, description = "as asked")))]
pub(crate) async fn logout(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
    _: NoBody,
) -> Result<StatusCode, ApiError> {
    api.identity().sign_out(auth.ctx()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/bootstrap`.
///
/// A closed door answers 404 before it reads the body, as any path that does not exist.
#[utoipa::path(post, path = "", operation_id = "auth_bootstrap", tag = "auth", request_body = BootstrapRequest, responses((status = 201, description = "as asked", body = PersonInOrgAnswer)))]
pub(crate) async fn bootstrap(
    auth: Auth<Public>,
    State(api): State<ApiState>,
    body: Result<Body<BootstrapRequest>, ApiError>,
) -> Result<(StatusCode, Json<PersonInOrgAnswer>), ApiError> {
    let plane = api.plane();
    if plane.is_bootstrapped() {
        return Err(ApiError::NotFound);
    }
    if api.identity().is_bootstrapped().await? {
        // It never opens again: nobody reads for it a second time.
        plane.mark_bootstrapped();
        return Err(ApiError::NotFound);
    }
    let Body(body) = body?;
    let Object(org) = body.org;
    let first = FirstAdministrator {
        email: body.email,
        password: body.password,
        name: body.name,
        org_slug: org.slug,
        org_name: org.name,
    };
    let founded = api
        .identity()
        .bootstrap(&body.token, first, auth.ctx())
        .await;
    let founded = api.late().answer(founded).await?;
    api.plane().mark_bootstrapped();
    Ok((
        StatusCode::CREATED,
        Json(PersonInOrgAnswer::founded(&founded)),
    ))
}
