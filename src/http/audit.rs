//! The audit trail: items, checkpoint, proofs, entries, export.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cyprob_audit::domain::EntryFilter;
use cyprob_audit::service::{TrailRecord, TrailView};
use cyprob_authz::http::{Auth, Org, System, perm};
use cyprob_core::domain::audit::Action;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};

use super::dto::PageAnswer;
use super::export;
use super::path::PathIndex;
use super::query::{AuditQuery, ExportQuery};
use super::{ApiError, ApiState};

/// `GET /api/v1/orgs/{org}/audit`.
#[utoipa::path(get, path = "", operation_id = "audit_list", tag = "audit", params(AuditQuery), responses((status = 200, description = "the newest first; a page may be short and have a cursor all the same, since each looks at a bounded part of the log", body = PageAnswer<TrailRecord>)))]
pub(crate) async fn list(
    auth: Auth<Org<perm::AuditRead>>,
    State(api): State<ApiState>,
    query: AuditQuery,
) -> Result<Json<PageAnswer<TrailRecord>>, ApiError> {
    let answer = page(api.trail().of_org(auth.ctx()), &query).await?;
    api.plane()
        .record_read(Action::AuditRead, auth.caller(), Some(auth.org()))
        .await?;
    Ok(answer)
}

/// `GET /api/v1/orgs/{org}/audit/checkpoint`.
#[utoipa::path(get, path = "", operation_id = "audit_checkpoint", tag = "audit", responses((status = 200, description = "a C2SP checkpoint", body = String, content_type = "text/plain")))]
pub(crate) async fn checkpoint(
    auth: Auth<Org<perm::AuditRead>>,
    State(api): State<ApiState>,
) -> Result<Response, ApiError> {
    head(api.trail().of_org(auth.ctx())).await
}

/// `GET /api/v1/orgs/{org}/audit/{index}/proof`.
#[utoipa::path(get, path = "", operation_id = "audit_proof", tag = "audit", responses((status = 200, description = "a C2SP tlog-proof", body = String, content_type = "text/plain")))]
pub(crate) async fn proof(
    auth: Auth<Org<perm::AuditRead>>,
    State(api): State<ApiState>,
    PathIndex(index): PathIndex,
) -> Result<Response, ApiError> {
    prove(api.trail().of_org(auth.ctx()), index).await
}

/// `GET /api/v1/orgs/{org}/audit/{index}/entry`.
#[utoipa::path(get, path = "", operation_id = "audit_entry", tag = "audit", responses((status = 200, description = "the exact bytes of the leaf")))]
pub(crate) async fn entry(
    auth: Auth<Org<perm::AuditRead>>,
    State(api): State<ApiState>,
    PathIndex(index): PathIndex,
) -> Result<Response, ApiError> {
    leaf(api.trail().of_org(auth.ctx()), index).await
}

/// `GET /api/v1/orgs/{org}/audit/export?format=jsonl`.
#[utoipa::path(get, path = "", operation_id = "audit_export", tag = "audit", params(ExportQuery), responses((status = 200, description = "one item a line, the oldest first", content_type = "application/x-ndjson")))]
pub(crate) async fn export(
    auth: Auth<Org<perm::AuditRead>>,
    State(api): State<ApiState>,
    _: ExportQuery,
) -> Result<Response, ApiError> {
    api.plane()
        .record_read(Action::AuditExported, auth.caller(), Some(auth.org()))
        .await?;
    let lines = export::lines(api.clone(), auth.ctx().clone()).await?;
    let mut response = Body::new(lines).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    let attachment = HeaderValue::from_static("attachment; filename=\"audit.jsonl\"");
    headers.insert(CONTENT_DISPOSITION, attachment);
    Ok(response)
}

/// `GET /api/v1/system/audit`.
#[utoipa::path(get, path = "", operation_id = "system_audit_list", tag = "audit", params(AuditQuery), responses((status = 200, description = "as for an organization", body = PageAnswer<TrailRecord>)))]
pub(crate) async fn system_list(
    auth: Auth<System<perm::SystemAuditRead>>,
    State(api): State<ApiState>,
    query: AuditQuery,
) -> Result<Json<PageAnswer<TrailRecord>>, ApiError> {
    let answer = page(api.trail().of_system(auth.ctx()), &query).await?;
    api.plane()
        .record_read(Action::AuditRead, auth.caller(), None)
        .await?;
    Ok(answer)
}

/// `GET /api/v1/system/audit/checkpoint`.
#[utoipa::path(get, path = "", operation_id = "system_audit_checkpoint", tag = "audit", responses((status = 200, description = "a C2SP checkpoint", body = String, content_type = "text/plain")))]
pub(crate) async fn system_checkpoint(
    auth: Auth<System<perm::SystemAuditRead>>,
    State(api): State<ApiState>,
) -> Result<Response, ApiError> {
    head(api.trail().of_system(auth.ctx())).await
}

/// `GET /api/v1/system/audit/{index}/proof`.
#[utoipa::path(get, path = "", operation_id = "system_audit_proof", tag = "audit", responses((status = 200, description = "a C2SP tlog-proof", body = String, content_type = "text/plain")))]
pub(crate) async fn system_proof(
    auth: Auth<System<perm::SystemAuditRead>>,
    State(api): State<ApiState>,
    PathIndex(index): PathIndex,
) -> Result<Response, ApiError> {
    prove(api.trail().of_system(auth.ctx()), index).await
}

/// `GET /api/v1/system/audit/{index}/entry`.
#[utoipa::path(get, path = "", operation_id = "system_audit_entry", tag = "audit", responses((status = 200, description = "the exact bytes of the leaf")))]
pub(crate) async fn system_entry(
    auth: Auth<System<perm::SystemAuditRead>>,
    State(api): State<ApiState>,
    PathIndex(index): PathIndex,
) -> Result<Response, ApiError> {
    leaf(api.trail().of_system(auth.ctx()), index).await
}

async fn page(
    log: TrailView<'_>,
    query: &AuditQuery,
) -> Result<Json<PageAnswer<TrailRecord>>, ApiError> {
    let filter: &EntryFilter = &query.filter;
    let page = log.items(filter, &query.page).await?;
    Ok(Json(PageAnswer::of(page, TrailRecord::of)))
}

async fn head(log: TrailView<'_>) -> Result<Response, ApiError> {
    let text = log.checkpoint().await?.ok_or(ApiError::NotFound)?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

async fn prove(log: TrailView<'_>, index: u64) -> Result<Response, ApiError> {
    let proof = log.proof(index).await?.ok_or(ApiError::NotFound)?;
    Ok((
        [(CONTENT_TYPE, "text/plain; charset=utf-8")],
        proof.encode(),
    )
        .into_response())
}

async fn leaf(log: TrailView<'_>, index: u64) -> Result<Response, ApiError> {
    let bytes = log.entry(index).await?.ok_or(ApiError::NotFound)?;
    Ok(([(CONTENT_TYPE, "application/json")], bytes).into_response())
}
