//! An organization and the sessions that have access to it.

use axum::Json;
use axum::extract::State;
use cyprob_authz::http::{Auth, Org, perm};
use cyprob_core::domain::SessionId;
use cyprob_core::ports::store::{OrgUpdate, PolicyUpdate};
use http::StatusCode;

use super::accounts::next_millisecond;
use super::body::{Body, Object};
use super::dto::{OrgAnswer, OrgSessionAnswer, PageAnswer, UpdateOrgRequest};
use super::path::PathId;
use super::query::Paging;
use super::{ApiError, ApiState};

/// `GET /api/v1/orgs/{org}`.
#[utoipa::path(get, path = "", operation_id = "orgs_read", tag = "orgs", responses((status = 200, description = "as asked", body = OrgAnswer)))]
pub(crate) async fn read(
    auth: Auth<Org<perm::OrgRead>>,
    State(api): State<ApiState>,
) -> Result<Json<OrgAnswer>, ApiError> {
    Ok(Json(OrgAnswer::of(api.identity().org(auth.ctx()).await?)))
}

/// `PATCH /api/v1/orgs/{org}`.
#[utoipa::path(patch, path = "", operation_id = "orgs_update", tag = "orgs", request_body = UpdateOrgRequest, responses((status = 200, description = "as asked", body = OrgAnswer)))]
pub(crate) async fn update(
    auth: Auth<Org<perm::OrgWrite>>,
    State(api): State<ApiState>,
    Body(body): Body<UpdateOrgRequest>,
) -> Result<Json<OrgAnswer>, ApiError> {
    let policy = body.policy.as_ref();
    let update = OrgUpdate {
        name: body.name,
        policy: policy.map_or_else(PolicyUpdate::default, |Object(policy)| policy.update()),
    };
    let org = api.identity().update_org(auth.ctx(), &update).await?;
    // A stricter policy ends what members have.
    if policy.is_some() {
        next_millisecond().await;
    }
    Ok(Json(OrgAnswer::of(org)))
}

/// `GET /api/v1/orgs/{org}/sessions`.
#[utoipa::path(get, path = "", operation_id = "orgs_sessions", tag = "orgs", params(Paging), responses((status = 200, description = "as asked", body = PageAnswer<OrgSessionAnswer>)))]
pub(crate) async fn sessions(
    auth: Auth<Org<perm::SessionsRead>>,
    State(api): State<ApiState>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<OrgSessionAnswer>>, ApiError> {
    let person = auth.who().person();
    let current = person.map(|person| person.claims().session);
    let page = api.identity().org_sessions(auth.ctx(), &page).await?;
    Ok(Json(PageAnswer::of(page, |view| {
        OrgSessionAnswer::of(view, current)
    })))
}

/// `DELETE /api/v1/orgs/{org}/sessions/{id}`.
#[utoipa::path(delete, path = "", operation_id = "orgs_end_session", tag = "orgs", responses((status = 204, description = "as asked")))]
pub(crate) async fn end_session(
    auth: Auth<Org<perm::SessionsWrite>>,
    State(api): State<ApiState>,
    PathId(session): PathId<SessionId>,
) -> Result<StatusCode, ApiError> {
    if api.identity().end_org_session(auth.ctx(), session).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}
