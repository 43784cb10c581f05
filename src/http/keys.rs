//! The keys that sign tokens: which there are, the next one, and an end of one.

use axum::Json;
use axum::extract::State;
use cyprob_authz::domain::{KeyPurpose, KeyView, RootKeyId};
use cyprob_authz::http::{Auth, System, perm};

use super::body::Body;
use super::dto::{PageAnswer, RevokeKeyRequest, RotateKeyRequest};
use super::query::Paging;
use super::{ApiError, ApiState};

fn ring(text: &str) -> Result<KeyPurpose, ApiError> {
    let parsed = text.parse();
    parsed.map_err(|_| ApiError::field("ring", "is none of user, service and worker"))
}

/// `GET /api/v1/system/keys`.
#[utoipa::path(get, path = "", operation_id = "system_keys", tag = "system", params(Paging), responses((status = 200, description = "as asked")))]
pub(crate) async fn list(
    auth: Auth<System<perm::SystemKeysRead>>,
    State(api): State<ApiState>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<KeyView>>, ApiError> {
    let rings = api.plane().key_rings();
    let of = |purpose| KeyView::all(purpose, &rings.plan(purpose), auth.at());
    let keys = KeyPurpose::ALL.into_iter().flat_map(of).collect();
    PageAnswer::cut(keys, &page).map(Json)
}

/// `POST /api/v1/system/keys/rotate`.
#[utoipa::path(post, path = "", operation_id = "system_rotate_key", tag = "system", request_body = RotateKeyRequest, responses((status = 200, description = "as asked")))]
pub(crate) async fn rotate(
    auth: Auth<System<perm::SystemKeysWrite>>,
    State(api): State<ApiState>,
    Body(body): Body<RotateKeyRequest>,
) -> Result<Json<KeyView>, ApiError> {
    let (ring, at) = (ring(&body.ring)?, auth.at());
    let rings = api.plane().key_rings();
    let plan = rings.rotate(ring, auth.ctx().caller(), at).await?;
    crate::keys::follow(api.plane()).await;
    let key = plan.key(plan.last()).ok_or(ApiError::Internal)?;
    Ok(Json(KeyView::of(ring, &plan, key, at)))
}

/// `POST /api/v1/system/keys/revoke`.
#[utoipa::path(post, path = "", operation_id = "system_revoke_key", tag = "system", request_body = RevokeKeyRequest, responses((status = 200, description = "as asked")))]
pub(crate) async fn revoke(
    auth: Auth<System<perm::SystemKeysWrite>>,
    State(api): State<ApiState>,
    Body(body): Body<RevokeKeyRequest>,
) -> Result<Json<KeyView>, ApiError> {
    let (ring, id, at) = (ring(&body.ring)?, RootKeyId::new(body.id), auth.at());
    let rings = api.plane().key_rings();
    let plan = rings.revoke(ring, id, auth.ctx().caller(), at).await?;
    crate::keys::follow(api.plane()).await;
    let key = plan.key(id).ok_or(ApiError::NotFound)?;
    Ok(Json(KeyView::of(ring, &plan, key, at)))
}
