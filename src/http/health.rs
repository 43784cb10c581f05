//! Whether the process lives and whether it can serve.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cyprob_authz::http::{Auth, Public};
use http::{StatusCode, header};
use serde_json::json;

use super::ApiState;

/// How long a part may take to say that it is well.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /healthz`.
#[utoipa::path(get, path = "", operation_id = "health_healthz", tag = "health", responses((status = 200, description = "as asked")))]
pub(crate) async fn healthz(_: Auth<Public>) -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// `GET /readyz`.
///
/// A component's name and whether it is up; causes go to the log alone.
#[utoipa::path(get, path = "", operation_id = "health_readyz", tag = "health", responses((status = 200, description = "as asked"), (status = 503, description = "as asked")))]
pub(crate) async fn readyz(_: Auth<Public>, State(api): State<ApiState>) -> Response {
    let asked = tokio::time::timeout(PATIENCE, api.identity().is_bootstrapped()).await;
    let up = match asked {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::error!(chain = %crate::error_chain(&error), "the store is down");
            false
        }
        Err(_) => false,
    };
    let current = !api.plane().parts().revocations.is_stale();
    let parts = api.plane().parts();
    let keys = !parts.key_rings.is_stale(parts.clock.now());
    let components = json!({ "store": word(up), "revocations": word(current), "keys": word(keys) });
    if up && current && keys {
        return Json(json!({ "status": "ready", "components": components })).into_response();
    }
    let body = Json(json!({ "status": "not_ready", "components": components }));
    let headers = [(header::RETRY_AFTER, "1")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, body).into_response()
}

const fn word(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}
