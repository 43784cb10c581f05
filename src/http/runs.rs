//! Runs of an organization and what they found.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Request, State};
use cyprob_authz::http::{Auth, Objects, perm};
use cyprob_core::domain::RunId;
use cyprob_plugins::domain::FactsFile;
use cyprob_plugins::ports::CancelOutcome;
use cyprob_plugins::service::runs::RunRequest;
use http::{HeaderMap, StatusCode};

use super::body;
use super::dto::{FindingAnswer, PageAnswer, QueuedAnswer, RunAnswer, RunBody};
use super::path::PathId;
use super::query::Paging;
use super::{ApiError, ApiState};

/// Most bytes of the facts of a run.
pub(crate) const MAX_FACTS: usize = 8 << 20;

/// `POST /api/v1/orgs/{org}/runs`.
#[utoipa::path(post, path = "", operation_id = "runs_create", tag = "runs", request_body = RunBody, params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters; the same request again under it gives the run of the first, and another is refused; a key is its caller's own")), responses((status = 202, description = "queued", body = QueuedAnswer), (status = 429, description = "the organization sends too many at once")))]
pub(crate) async fn create(
    auth: Auth<Objects<perm::RunsCreate>>,
    State(api): State<ApiState>,
    request: Request,
) -> Result<(StatusCode, Json<QueuedAnswer>), ApiError> {
    let _place = api.places().enter(auth.org())?;
    let idempotency_key = idempotency_key(request.headers())?;
    let (facts, plugins, tags) = match body::media_type(request.headers()).as_deref() {
        Some("application/json") => {
            let bytes = body::read(request, MAX_FACTS).await?;
            let body: RunBody = body::parse(&bytes)?;
            (body.facts_file()?, body.plugins()?, body.tags()?)
        }
        Some("application/xml" | "text/xml") => {
            let bytes = body::read(request, MAX_FACTS).await?.to_vec();
            (
                FactsFile {
                    format: "xml".to_owned(),
                    bytes,
                },
                None,
                BTreeSet::new(),
            )
        }
        _ => {
            return Err(ApiError::UnsupportedMediaType(
                "application/json or application/xml",
            ));
        }
    };
    let by = auth.caller().actor.user();
    let by = by.ok_or(ApiError::Forbidden("nobody answers for the run"))?;
    let asked = RunRequest {
        facts,
        plugins,
        tags,
        idempotency_key,
    };
    let run = api.plane().runs().create(auth.ctx(), by, asked).await?;
    Ok((StatusCode::ACCEPTED, Json(QueuedAnswer::of(&run))))
}

/// The header `Idempotency-Key`: 1 to 200 visible ASCII characters.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Some(text.to_owned()))
    } else {
        Err(ApiError::field(
            "Idempotency-Key",
            "is 1 to 200 visible ASCII characters",
        ))
    }
}

/// `GET /api/v1/orgs/{org}/runs`.
#[utoipa::path(get, path = "", operation_id = "runs_list", tag = "runs", params(Paging), responses((status = 200, description = "as asked", body = PageAnswer<RunAnswer>)))]
pub(crate) async fn list(
    auth: Auth<Objects<perm::RunsRead>>,
    State(api): State<ApiState>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<RunAnswer>>, ApiError> {
    let page = api.plane().runs().list(auth.ctx(), &page).await?;
    Ok(Json(PageAnswer::of(page, RunAnswer::of)))
}

/// `GET /api/v1/orgs/{org}/runs/{id}`.
#[utoipa::path(get, path = "", operation_id = "runs_read", tag = "runs", responses((status = 200, description = "as asked", body = RunAnswer)))]
pub(crate) async fn read(
    auth: Auth<Objects<perm::RunsRead>>,
    State(api): State<ApiState>,
    PathId(id): PathId<RunId>,
) -> Result<Json<RunAnswer>, ApiError> {
    let run = api.plane().runs().get(auth.ctx(), id).await?;
    run.map(RunAnswer::of).map(Json).ok_or(ApiError::NotFound)
}

/// `POST /api/v1/orgs/{org}/runs/{id}/cancel`.
#[utoipa::path(post, path = "", operation_id = "runs_cancel", tag = "runs", responses((status = 200, description = "as asked", body = RunAnswer)))]
pub(crate) async fn cancel(
    auth: Auth<Objects<perm::RunsCreate>>,
    State(api): State<ApiState>,
    PathId(id): PathId<RunId>,
    _: body::NoBody,
) -> Result<Json<RunAnswer>, ApiError> {
    match api.plane().runs().cancel(auth.ctx(), id).await? {
        CancelOutcome::Cancelled(run) => Ok(Json(RunAnswer::of(run))),
        CancelOutcome::Ended(_) => Err(ApiError::Conflict("the run has ended")),
        CancelOutcome::NotFound => Err(ApiError::NotFound),
    }
}

/// `GET /api/v1/orgs/{org}/runs/{id}/findings`.
#[utoipa::path(get, path = "", operation_id = "runs_findings", tag = "runs", params(Paging), responses((status = 200, description = "as asked", body = PageAnswer<FindingAnswer>)))]
pub(crate) async fn findings(
    auth: Auth<Objects<perm::RunsRead>>,
    State(api): State<ApiState>,
    PathId(id): PathId<RunId>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<FindingAnswer>>, ApiError> {
    let found = api.plane().runs().findings(auth.ctx(), id, &page).await?;
    let page = found.ok_or(ApiError::NotFound)?;
    Ok(Json(PageAnswer::of(page, FindingAnswer::of)))
}
