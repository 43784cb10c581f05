//! The page at `/`: what this is and where to go on.

use axum::response::{Html, IntoResponse, Response};
use cyprob_authz::http::{Auth, Public};
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};

const PAGE: &str = include_str!("console.html");

/// What the page may load: nothing.
const POLICY: &str = "default-src 'none'; style-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /`.
#[utoipa::path(get, path = "", operation_id = "console_page", tag = "console", responses((status = 200, description = "as asked")))]
pub(crate) async fn page(_: Auth<Public>) -> Response {
    let mut response = Html(PAGE).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
