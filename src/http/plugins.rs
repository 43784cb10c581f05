//! Plugins of an organization.

use axum::Json;
use axum::extract::{Request, State};
use cyprob_authz::http::{Auth, Org, perm};
use http::StatusCode;

use super::body::{self, Body};
use super::dto::{EnableRequest, InstalledAnswer, PageAnswer, PluginAnswer};
use super::path::PathPlugin;
use super::query::{PluginName, PluginPaging};
use super::{ApiError, ApiState};

/// Most bytes of an uploaded plugin.
pub(crate) const MAX_PLUGIN: usize = 1 << 20;

/// `GET /api/v1/orgs/{org}/plugins`.
#[utoipa::path(get, path = "", operation_id = "plugins_list", tag = "plugins", params(PluginPaging), responses((status = 200, description = "as asked", body = PageAnswer<PluginAnswer>)))]
pub(crate) async fn list(
    auth: Auth<Org<perm::PluginsRead>>,
    State(api): State<ApiState>,
    PluginPaging(page): PluginPaging,
) -> Result<Json<PageAnswer<PluginAnswer>>, ApiError> {
    let page = api.plane().plugins().list(auth.ctx(), &page).await?;
    Ok(Json(PageAnswer::of(page, PluginAnswer::of)))
}

/// `POST /api/v1/orgs/{org}/plugins?name=FILE`.
#[utoipa::path(post, path = "", operation_id = "plugins_install", tag = "plugins", params(PluginName), request_body(content = String, content_type = "application/yaml"), responses((status = 201, description = "installed, disabled", body = InstalledAnswer)))]
pub(crate) async fn install(
    auth: Auth<Org<perm::PluginsWrite>>,
    State(api): State<ApiState>,
    PluginName(name): PluginName,
    request: Request,
) -> Result<(StatusCode, Json<InstalledAnswer>), ApiError> {
    match body::media_type(request.headers()).as_deref() {
        Some("application/yaml" | "application/json") => {}
        _ => {
            return Err(ApiError::UnsupportedMediaType(
                "application/yaml or application/json",
            ));
        }
    }
    let bytes = body::read(request, MAX_PLUGIN).await?;
    let installed = api
        .plane()
        .plugins()
        .install(auth.ctx(), &name, bytes.to_vec())
        .await?;
    Ok((StatusCode::CREATED, Json(InstalledAnswer::of(installed))))
}

/// `GET /api/v1/orgs/{org}/plugins/{id}`.
#[utoipa::path(get, path = "", operation_id = "plugins_read", tag = "plugins", responses((status = 200, description = "as asked", body = PluginAnswer)))]
pub(crate) async fn read(
    auth: Auth<Org<perm::PluginsRead>>,
    State(api): State<ApiState>,
    PathPlugin(id): PathPlugin,
) -> Result<Json<PluginAnswer>, ApiError> {
    let found = api.plane().plugins().get(auth.ctx(), &id).await?;
    let (plugin, _) = found.ok_or(ApiError::NotFound)?;
    Ok(Json(PluginAnswer::of(plugin)))
}

/// `DELETE /api/v1/orgs/{org}/plugins/{id}`.
#[utoipa::path(delete, path = "", operation_id = "plugins_remove", tag = "plugins", responses((status = 204, description = "as asked")))]
pub(crate) async fn remove(
    auth: Auth<Org<perm::PluginsWrite>>,
    State(api): State<ApiState>,
    PathPlugin(id): PathPlugin,
) -> Result<StatusCode, ApiError> {
    if api.plane().plugins().remove(auth.ctx(), &id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// `PUT /api/v1/orgs/{org}/plugins/{id}/enabled`.
#[utoipa::path(put, path = "", operation_id = "plugins_enable", tag = "plugins", request_body = EnableRequest, responses((status = 200, description = "as asked", body = PluginAnswer)))]
pub(crate) async fn enable(
    auth: Auth<Org<perm::PluginsApprove>>,
    State(api): State<ApiState>,
    PathPlugin(id): PathPlugin,
    Body(body): Body<EnableRequest>,
) -> Result<Json<PluginAnswer>, ApiError> {
    let set = api
        .plane()
        .plugins()
        .set_enabled(auth.ctx(), &id, body.enabled)
        .await?;
    set.map(PluginAnswer::of)
        .map(Json)
        .ok_or(ApiError::NotFound)
}
