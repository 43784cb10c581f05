//! Roles of an organization: those of the deployment, and those that it defines itself.

use axum::Json;
use axum::extract::State;
use cyprob_authz::http::{Auth, Org, perm};
use cyprob_core::domain::PageRequest;
use http::StatusCode;

use super::body::Body;
use super::dto::{CreateRoleRequest, EditRoleRequest, PageAnswer, RoleAnswer, choice};
use super::path::PathRole;
use super::query::Paging;
use super::{ApiError, ApiState};

/// `GET /api/v1/orgs/{org}/roles`: the built-in ones from the widest to the narrowest, the deployment's others, then the organization's own.
#[utoipa::path(get, path = "", operation_id = "roles_list", tag = "roles", params(Paging), responses((status = 200, description = "as asked", body = PageAnswer<RoleAnswer>)))]
pub(crate) async fn list(
    auth: Auth<Org<perm::RolesRead>>,
    State(api): State<ApiState>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<RoleAnswer>>, ApiError> {
    // An organization defines at most as many as one page holds.
    let all = PageRequest::new(PageRequest::MAX, None);
    let own = api.identity().roles(auth.ctx(), &all).await?;
    let mut roles = api.roles();
    // Where both have a name, the organization's own role is what its members have.
    roles.retain(|role| own.items.iter().all(|own| own.name != role.name));
    roles.extend(own.items.iter().map(RoleAnswer::own));
    PageAnswer::cut(roles, &page).map(Json)
}

/// `POST /api/v1/orgs/{org}/roles`.
#[utoipa::path(post, path = "", operation_id = "roles_create", tag = "roles", request_body = CreateRoleRequest, responses((status = 201, description = "as asked", body = RoleAnswer)))]
pub(crate) async fn create(
    auth: Auth<Org<perm::RolesWrite>>,
    State(api): State<ApiState>,
    Body(body): Body<CreateRoleRequest>,
) -> Result<(StatusCode, Json<RoleAnswer>), ApiError> {
    let role = api
        .identity()
        .create_role(auth.ctx(), body.name, body.permissions.0)
        .await?;
    Ok((StatusCode::CREATED, Json(RoleAnswer::own(&role))))
}

/// `PUT /api/v1/orgs/{org}/roles/{name}`: ends the tokens of whoever has the role.
#[utoipa::path(put, path = "", operation_id = "roles_edit", tag = "roles", request_body = EditRoleRequest, responses((status = 200, description = "as asked", body = RoleAnswer)))]
pub(crate) async fn edit(
    auth: Auth<Org<perm::RolesWrite>>,
    State(api): State<ApiState>,
    PathRole(name): PathRole,
    Body(body): Body<EditRoleRequest>,
) -> Result<Json<RoleAnswer>, ApiError> {
    let role = api
        .identity()
        .edit_role(auth.ctx(), choice(name, body.version), body.permissions.0)
        .await?;
    Ok(Json(RoleAnswer::own(&role)))
}

/// `DELETE /api/v1/orgs/{org}/roles/{name}`: 409 with who uses it, while somebody does.
#[utoipa::path(delete, path = "", operation_id = "roles_delete", tag = "roles", responses((status = 204, description = "as asked")))]
pub(crate) async fn delete(
    auth: Auth<Org<perm::RolesWrite>>,
    State(api): State<ApiState>,
    PathRole(name): PathRole,
) -> Result<StatusCode, ApiError> {
    api.identity().delete_role(auth.ctx(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
