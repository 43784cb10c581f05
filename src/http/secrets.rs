//! Secrets of an organization: their names and versions, and never a value.

use axum::Json;
use axum::extract::State;
use cyprob_authz::http::{Auth, Org, perm};
use http::StatusCode;

use super::body::{Body, SecretBody};
use super::dto::{PageAnswer, PutSecretRequest, RotateSecretRequest, SecretAnswer};
use super::path::PathSecret;
use super::query::Paging;
use super::{ApiError, ApiState};

/// `GET /api/v1/orgs/{org}/secrets`.
#[utoipa::path(get, path = "", operation_id = "secrets_list", tag = "secrets", params(Paging), responses((status = 200, description = "as asked", body = PageAnswer<SecretAnswer>)))]
pub(crate) async fn list(
    auth: Auth<Org<perm::SecretsRead>>,
    State(api): State<ApiState>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<SecretAnswer>>, ApiError> {
    let secrets = api.secrets()?.list(auth.ctx()).await?;
    let secrets = secrets.into_iter().map(SecretAnswer::of).collect();
    PageAnswer::cut(secrets, &page).map(Json)
}

/// `PUT /api/v1/orgs/{org}/secrets/{name}`: the value is the next version; `~` in the name stands for a slash.
#[utoipa::path(put, path = "", operation_id = "secrets_put", tag = "secrets", request_body = PutSecretRequest, responses((status = 200, description = "stored", body = SecretAnswer)))]
pub(crate) async fn put(
    auth: Auth<Org<perm::SecretsWrite>>,
    State(api): State<ApiState>,
    name: PathSecret,
    SecretBody(body): SecretBody<PutSecretRequest>,
) -> Result<Json<SecretAnswer>, ApiError> {
    let (secrets, name) = (api.secrets()?, name.writable()?);
    let (value, seen) = body.read()?;
    let stored = secrets.put(auth.ctx(), &name, &value, seen).await?;
    Ok(Json(SecretAnswer::of(stored)))
}

/// `DELETE /api/v1/orgs/{org}/secrets/{name}`: with all its versions.
#[utoipa::path(delete, path = "", operation_id = "secrets_delete", tag = "secrets", responses((status = 204, description = "as asked")))]
pub(crate) async fn delete(
    auth: Auth<Org<perm::SecretsWrite>>,
    State(api): State<ApiState>,
    name: PathSecret,
) -> Result<StatusCode, ApiError> {
    let (secrets, name) = (api.secrets()?, name.existing()?);
    secrets.delete(auth.ctx(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/orgs/{org}/secrets/{name}/rotate`: a value that is drawn here and shown to nobody is the next version.
#[utoipa::path(post, path = "", operation_id = "secrets_rotate", tag = "secrets", request_body = RotateSecretRequest, responses((status = 200, description = "stored", body = SecretAnswer)))]
pub(crate) async fn rotate(
    auth: Auth<Org<perm::SecretsWrite>>,
    State(api): State<ApiState>,
    name: PathSecret,
    Body(body): Body<RotateSecretRequest>,
) -> Result<Json<SecretAnswer>, ApiError> {
    let (secrets, name) = (api.secrets()?, name.existing()?);
    let (drawing, seen) = body.read()?;
    let stored = secrets.rotate(auth.ctx(), &name, drawing, seen).await?;
    Ok(Json(SecretAnswer::of(stored)))
}
