//! The deployment: its organizations and its routes.

use axum::Json;
use axum::extract::State;
use cyprob_authz::http::{Auth, RouteEntry, System, perm};
use cyprob_core::domain::UserId;
use http::StatusCode;

use super::body::{Body, NoBody};
use super::dto::{CreateOrgRequest, NewOrgAnswer, OrgAnswer, PageAnswer};
use super::path::PathId;
use super::query::Paging;
use super::{ApiError, ApiState};

/// `GET /api/v1/system/orgs`.
#[utoipa::path(get, path = "", operation_id = "system_orgs", tag = "system", params(Paging), responses((status = 200, description = "as asked", body = PageAnswer<OrgAnswer>)))]
pub(crate) async fn orgs(
    auth: Auth<System<perm::SystemOrgsRead>>,
    State(api): State<ApiState>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<OrgAnswer>>, ApiError> {
    let page = api.identity().orgs(auth.ctx(), &page).await?;
    Ok(Json(PageAnswer::of(page, OrgAnswer::of)))
}

/// `POST /api/v1/system/orgs`.
#[utoipa::path(post, path = "", operation_id = "system_create_org", tag = "system", request_body = CreateOrgRequest, responses((status = 201, description = "as asked", body = NewOrgAnswer)))]
pub(crate) async fn create_org(
    auth: Auth<System<perm::SystemOrgsWrite>>,
    State(api): State<ApiState>,
    Body(body): Body<CreateOrgRequest>,
) -> Result<(StatusCode, Json<NewOrgAnswer>), ApiError> {
    let new = api
        .identity()
        .create_org(auth.ctx(), body.slug, body.name, body.owner_email)
        .await?;
    Ok((StatusCode::CREATED, Json(NewOrgAnswer::of(&new))))
}

/// `POST /api/v1/system/users/{user}/sign-in/reset`.
#[utoipa::path(post, path = "", operation_id = "system_reset_sign_in", tag = "system", responses((status = 204, description = "as asked")))]
pub(crate) async fn reset_sign_in(
    auth: Auth<System<perm::SystemSignInsReset>>,
    State(api): State<ApiState>,
    PathId(user): PathId<UserId>,
    _: NoBody,
) -> Result<StatusCode, ApiError> {
    api.identity().switch_sign_in_on(auth.ctx(), user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/system/routes`.
#[utoipa::path(get, path = "", operation_id = "system_routes", tag = "system", responses((status = 200, description = "as asked")))]
pub(crate) async fn routes(
    _: Auth<System<perm::SystemRoutesRead>>,
    State(api): State<ApiState>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<RouteEntry>>, ApiError> {
    let inventory = api.inventory().get().ok_or(ApiError::Internal)?;
    PageAnswer::cut(inventory.routes().to_vec(), &page).map(Json)
}
