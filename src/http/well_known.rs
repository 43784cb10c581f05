//! What a stranger needs to verify tokens and logs, and the API's description.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cyprob_authz::domain::PublishedKey;
use cyprob_authz::http::{Auth, Public};
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use super::{ApiError, ApiState};

/// `GET /.well-known/cyprob`.
#[utoipa::path(get, path = "", operation_id = "well_known_cyprob", tag = "well_known", responses((status = 200, description = "as asked")))]
pub(crate) async fn cyprob(_: Auth<Public>, State(api): State<ApiState>) -> Json<Value> {
    let audit = &api.plane().parts().audit;
    let deployment = json!({ "origin": audit.origins().deployment().as_str(), "vkey": audit.verifier().to_string() });
    Json(json!({
        "api_version": "v1",
        "token_keys": published(&api.plane().token_keys()),
        "service_token_keys": published(&api.plane().service_token_keys()),
        "audit": { "deployment": deployment, "org_origin_prefix": audit.origins().org_prefix() },
    }))
}

fn published(keys: &[PublishedKey]) -> Vec<Value> {
    keys.iter().map(|key| json!(key)).collect()
}

/// `GET /openapi.json`.
#[utoipa::path(get, path = "", operation_id = "well_known_openapi", tag = "well_known", responses((status = 200, description = "as asked")))]
pub(crate) async fn openapi(
    _: Auth<Public>,
    State(api): State<ApiState>,
) -> Result<Response, ApiError> {
    let document = api.document().ok_or(ApiError::Internal)?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], document).into_response())
}
