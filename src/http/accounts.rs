//! Accounts and sessions under the deployment's administration.

use std::time::Duration;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::State;
use cyprob_authz::http::{Auth, System, perm};
use cyprob_core::domain::{Email, PageRequest, UserId, Whose};
use cyprob_core::service::KeepCurrent;
use http::StatusCode;
use http::request::Parts;

use super::body::{Body, NoBody};
use super::dto::{AccountAnswer, DisableRequest, EndSessionsRequest, EndedAnswer, PageAnswer};
use super::path::PathId;
use super::query::{self, Paging};
use super::{ApiError, ApiState};

/// `?email=` or a page of all accounts.
#[derive(Debug)]
pub(crate) struct UsersQuery {
    email: Option<Email>,
    page: PageRequest,
}

impl<S: Send + Sync> FromRequestParts<S> for UsersQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut pairs = query::pairs(parts)?;
        let Paging(page) = Paging::take(&mut pairs)?;
        let mut email = None;
        for (name, value) in pairs {
            match name.as_str() {
                "email" => {
                    let parsed = value.parse();
                    let bad = |_| ApiError::field("email", "is no e-mail address");
                    email = Some(parsed.map_err(bad)?);
                }
                _ => query::none_left(&[(name, value)])?,
            }
        }
        match page.after() {
            Some(id) if id.len() != 16 => Err(ApiError::InvalidCursor),
            _ => Ok(Self { email, page }),
        }
    }
}

/// `GET /api/v1/system/users`.
#[utoipa::path(get, path = "", operation_id = "system_users", tag = "system", params(Paging, ("email" = Option<String>, Query, description = "only the account of this address")), responses((status = 200, description = "as asked", body = PageAnswer<AccountAnswer>)))]
pub(crate) async fn users(
    auth: Auth<System<perm::SystemUsersRead>>,
    State(api): State<ApiState>,
    query: UsersQuery,
) -> Result<Json<PageAnswer<AccountAnswer>>, ApiError> {
    let identity = api.identity();
    let page = identity
        .users(auth.ctx(), query.email.as_ref(), &query.page)
        .await?;
    Ok(Json(PageAnswer::of(page, AccountAnswer::of)))
}

/// `POST /api/v1/system/users/{user}/disable`.
#[utoipa::path(post, path = "", operation_id = "system_disable_user", tag = "system", request_body = DisableRequest, responses((status = 204, description = "as asked")))]
pub(crate) async fn disable(
    auth: Auth<System<perm::SystemUsersWrite>>,
    State(api): State<ApiState>,
    PathId(user): PathId<UserId>,
    Body(body): Body<DisableRequest>,
) -> Result<StatusCode, ApiError> {
    let reason = body.reason.as_str();
    api.identity()
        .disable_user(auth.ctx(), user, reason)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/system/users/{user}/enable`.
#[utoipa::path(post, path = "", operation_id = "system_enable_user", tag = "system", responses((status = 204, description = "as asked")))]
pub(crate) async fn enable(
    auth: Auth<System<perm::SystemUsersWrite>>,
    State(api): State<ApiState>,
    PathId(user): PathId<UserId>,
    _: NoBody,
) -> Result<StatusCode, ApiError> {
    api.identity().enable_user(auth.ctx(), user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Until the millisecond of an end of sessions opened before it is over.
///
/// When a session was opened is told by its id, in milliseconds, so the end takes with
/// it whatever is opened in its own. Who signs in after the answer was not meant.
pub(crate) async fn next_millisecond() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// `POST /api/v1/system/sessions/end`.
#[utoipa::path(post, path = "", operation_id = "system_end_sessions", tag = "system", request_body = EndSessionsRequest, responses((status = 200, description = "as asked", body = EndedAnswer)))]
pub(crate) async fn end_sessions(
    auth: Auth<System<perm::SystemSessionsEnd>>,
    State(api): State<ApiState>,
    Body(body): Body<EndSessionsRequest>,
) -> Result<Json<EndedAnswer>, ApiError> {
    let whose = match (body.user, body.org, body.everyone) {
        (Some(user), None, None | Some(false)) => Whose::User(user),
        (None, Some(org), None | Some(false)) => Whose::Org(org),
        (None, None, Some(true)) => Whose::Everyone,
        _ => {
            return Err(ApiError::field(
                "user",
                "or org or everyone: just one of them",
            ));
        }
    };
    let keep = match (whose, body.keep_current) {
        (Whose::Org(_), Some(_)) => {
            let why = "has no meaning with org: sessions go on, their access to it ends";
            return Err(ApiError::field("keep_current", why));
        }
        (_, Some(true)) => KeepCurrent::Yes,
        (_, None | Some(false)) => KeepCurrent::No,
    };
    let ended = api
        .identity()
        .end_many(auth.ctx(), whose, keep, body.reason.as_str())
        .await?;
    next_millisecond().await;
    Ok(Json(EndedAnswer { ended }))
}
