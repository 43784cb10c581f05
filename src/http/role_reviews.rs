//! Reviews of who holds which role in an organization.

use axum::Json;
use axum::extract::State;
use cyprob_authz::http::{Auth, Org, perm};
use cyprob_core::domain::ReviewId;
use http::StatusCode;

use super::body::{Body, NoBody};
use super::dto::{
    PageAnswer, ReviewRecordAnswer, RoleChangesAnswer, RoleReviewAnswer, SignOffRequest,
};
use super::path::PathId;
use super::query::Paging;
use super::{ApiError, ApiState};

/// `GET /api/v1/orgs/{org}/role-reviews`.
#[utoipa::path(get, path = "", operation_id = "role_reviews_list", tag = "role reviews", params(Paging), responses((status = 200, description = "as asked", body = PageAnswer<ReviewRecordAnswer>)))]
pub(crate) async fn list(
    auth: Auth<Org<perm::AuditReview>>,
    State(api): State<ApiState>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<ReviewRecordAnswer>>, ApiError> {
    let page = api.identity().role_reviews(auth.ctx(), &page).await?;
    Ok(Json(PageAnswer::of(page, ReviewRecordAnswer::of)))
}

/// `POST /api/v1/orgs/{org}/role-reviews`.
#[utoipa::path(post, path = "", operation_id = "role_reviews_open", tag = "role reviews", responses((status = 201, description = "as asked", body = RoleReviewAnswer)))]
pub(crate) async fn open(
    auth: Auth<Org<perm::AuditReview>>,
    State(api): State<ApiState>,
    _: NoBody,
) -> Result<(StatusCode, Json<RoleReviewAnswer>), ApiError> {
    let opened = api.identity().open_role_review(auth.ctx()).await?;
    Ok((StatusCode::CREATED, Json(RoleReviewAnswer::of(opened))))
}

/// `GET /api/v1/orgs/{org}/role-reviews/{id}`.
#[utoipa::path(get, path = "", operation_id = "role_reviews_read", tag = "role reviews", responses((status = 200, description = "as asked", body = RoleReviewAnswer)))]
pub(crate) async fn read(
    auth: Auth<Org<perm::AuditReview>>,
    State(api): State<ApiState>,
    PathId(id): PathId<ReviewId>,
) -> Result<Json<RoleReviewAnswer>, ApiError> {
    let found = api.identity().role_review(auth.ctx(), id).await?;
    Ok(Json(RoleReviewAnswer::of(found)))
}

/// `POST /api/v1/orgs/{org}/role-reviews/{id}/sign-off`.
#[utoipa::path(post, path = "", operation_id = "role_reviews_sign", tag = "role reviews", request_body = SignOffRequest, responses((status = 200, description = "as asked", body = ReviewRecordAnswer)))]
pub(crate) async fn sign_off(
    auth: Auth<Org<perm::AuditReview>>,
    State(api): State<ApiState>,
    PathId(id): PathId<ReviewId>,
    Body(body): Body<SignOffRequest>,
) -> Result<Json<ReviewRecordAnswer>, ApiError> {
    let signed = api
        .identity()
        .sign_role_review(auth.ctx(), id, body.digest, body.note)
        .await?;
    Ok(Json(ReviewRecordAnswer::of(signed)))
}

/// `GET /api/v1/orgs/{org}/role-reviews/{id}/changes`.
#[utoipa::path(get, path = "", operation_id = "role_reviews_changes", tag = "role reviews", responses((status = 200, description = "as asked", body = RoleChangesAnswer)))]
pub(crate) async fn changes(
    auth: Auth<Org<perm::AuditReview>>,
    State(api): State<ApiState>,
    PathId(id): PathId<ReviewId>,
) -> Result<Json<RoleChangesAnswer>, ApiError> {
    let found = api.identity().role_review(auth.ctx(), id).await?;
    Ok(Json(RoleChangesAnswer::of(&found)))
}
