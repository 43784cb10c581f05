//! Service accounts, their keys, and the exchange of a key for an access token.

use axum::Json;
use axum::extract::State;
use cyprob_authz::http::{Auth, Org, Public, perm};
use cyprob_core::domain::ServiceAccountId;
use cyprob_core::service::AccountUpdate;
use http::StatusCode;

use super::body::Body;
use super::dto::{
    ChangeServiceAccountRequest, CreateKeyRequest, CreateServiceAccountRequest, NewKeyAnswer,
    PageAnswer, ServiceAccountAnswer, ServiceTokenAnswer, ServiceTokenRequest, choice,
};
use super::path::{PathId, PathKey};
use super::query::HolderPaging;
use super::{ApiError, ApiState};

/// `GET /api/v1/orgs/{org}/service-accounts`; with `?permission=`, those that have it.
#[utoipa::path(get, path = "", operation_id = "service_accounts_list", tag = "service_accounts", params(HolderPaging), responses((status = 200, description = "as asked", body = PageAnswer<ServiceAccountAnswer>)))]
pub(crate) async fn list(
    auth: Auth<Org<perm::ServiceAccountsRead>>,
    State(api): State<ApiState>,
    HolderPaging { page, permission }: HolderPaging,
) -> Result<Json<PageAnswer<ServiceAccountAnswer>>, ApiError> {
    Ok(Json(match permission {
        None => {
            let accounts = api.identity().service_accounts(auth.ctx(), &page).await?;
            PageAnswer::of(accounts, ServiceAccountAnswer::of)
        }
        Some(permission) => {
            let plane = api.plane();
            let holders = plane.which_services_can(auth.ctx(), permission, &page);
            PageAnswer::of(holders.await?, ServiceAccountAnswer::which_can)
        }
    }))
}

/// `POST /api/v1/orgs/{org}/service-accounts`.
#[utoipa::path(post, path = "", operation_id = "service_accounts_create", tag = "service_accounts", request_body = CreateServiceAccountRequest, responses((status = 201, description = "as asked", body = ServiceAccountAnswer)))]
pub(crate) async fn create(
    auth: Auth<Org<perm::ServiceAccountsWrite>>,
    State(api): State<ApiState>,
    Body(body): Body<CreateServiceAccountRequest>,
) -> Result<(StatusCode, Json<ServiceAccountAnswer>), ApiError> {
    let role = choice(body.role, body.role_version);
    let made = api
        .identity()
        .create_service_account(auth.ctx(), body.name, role)
        .await?;
    Ok((StatusCode::CREATED, Json(ServiceAccountAnswer::of(made))))
}

/// `PUT /api/v1/orgs/{org}/service-accounts/{id}`: another role, or another member to answer for it.
#[utoipa::path(put, path = "", operation_id = "service_accounts_change", tag = "service_accounts", request_body = ChangeServiceAccountRequest, responses((status = 200, description = "as asked", body = ServiceAccountAnswer)))]
pub(crate) async fn change(
    auth: Auth<Org<perm::ServiceAccountsWrite>>,
    State(api): State<ApiState>,
    PathId(account): PathId<ServiceAccountId>,
    Body(body): Body<ChangeServiceAccountRequest>,
) -> Result<Json<ServiceAccountAnswer>, ApiError> {
    if body.role.is_none() && body.owner.is_none() {
        return Err(ApiError::field("owner", "or role is needed"));
    }
    let update = AccountUpdate {
        role: body.role.map(|role| choice(role, body.role_version)),
        owner: body.owner,
    };
    let changed = api
        .identity()
        .change_service_account(auth.ctx(), account, &update)
        .await?;
    Ok(Json(ServiceAccountAnswer::of(changed)))
}

/// `DELETE /api/v1/orgs/{org}/service-accounts/{id}`.
#[utoipa::path(delete, path = "", operation_id = "service_accounts_delete", tag = "service_accounts", responses((status = 204, description = "as asked")))]
pub(crate) async fn delete(
    auth: Auth<Org<perm::ServiceAccountsWrite>>,
    State(api): State<ApiState>,
    PathId(account): PathId<ServiceAccountId>,
) -> Result<StatusCode, ApiError> {
    api.identity()
        .delete_service_account(auth.ctx(), account)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/orgs/{org}/service-accounts/{id}/keys`: the key is shown in this answer and never again.
#[utoipa::path(post, path = "", operation_id = "service_accounts_create_key", tag = "service_accounts", request_body = CreateKeyRequest, responses((status = 201, description = "as asked", body = NewKeyAnswer)))]
pub(crate) async fn create_key(
    auth: Auth<Org<perm::ServiceAccountsWrite>>,
    State(api): State<ApiState>,
    PathId(account): PathId<ServiceAccountId>,
    Body(body): Body<CreateKeyRequest>,
) -> Result<(StatusCode, Json<NewKeyAnswer>), ApiError> {
    let made = api
        .identity()
        .create_service_key(auth.ctx(), account, body.expires_at.0)
        .await?;
    Ok((StatusCode::CREATED, Json(NewKeyAnswer::of(&made))))
}

/// `DELETE /api/v1/orgs/{org}/service-accounts/{id}/keys/{key}`.
#[utoipa::path(delete, path = "", operation_id = "service_accounts_revoke_key", tag = "service_accounts", responses((status = 204, description = "as asked")))]
pub(crate) async fn revoke_key(
    auth: Auth<Org<perm::ServiceAccountsWrite>>,
    State(api): State<ApiState>,
    PathKey { account, key }: PathKey,
) -> Result<StatusCode, ApiError> {
    let revoked = api
        .identity()
        .revoke_service_key(auth.ctx(), account, key)
        .await?;
    if revoked {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// `POST /api/v1/auth/service-token`: public, since the key is the proof.
#[utoipa::path(post, path = "", operation_id = "auth_service_token", tag = "auth", request_body = ServiceTokenRequest, responses((status = 200, description = "as asked", body = ServiceTokenAnswer)))]
pub(crate) async fn exchange(
    auth: Auth<Public>,
    State(api): State<ApiState>,
    Body(body): Body<ServiceTokenRequest>,
) -> Result<Json<ServiceTokenAnswer>, ApiError> {
    // A use of the key is counted only where a token can follow.
    api.plane().ready_to_mint_service().await?;
    let grant = api.identity().exchange_key(&body.key, auth.ctx()).await;
    let grant = api.late().answer(grant).await?;
    let token = api.plane().mint_service(&grant).await?;
    Ok(Json(ServiceTokenAnswer::new(&grant, &token)))
}
