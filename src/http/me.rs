//! The signed-in person: account, password, sessions, tokens for organizations.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cyprob_authz::http::{Auth, Authenticated, PathNames};
use cyprob_core::domain::{OrgRef, SessionId};
use http::StatusCode;
use http::request::Parts;

use super::body::{Body, NoBody};
use super::dto::{
    MeAnswer, MembershipAnswer, PageAnswer, PasswordRequest, PersonAnswer, SessionAnswer,
    TokenAnswer, TokenPair,
};
use super::path::PathId;
use super::query::{self, Paging};
use super::{ApiError, ApiState};

/// `GET /api/v1/me`.
#[utoipa::path(get, path = "", operation_id = "me_me", tag = "me", responses((status = 200, description = "as asked", body = MeAnswer)))]
pub(crate) async fn me(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
) -> Result<Json<MeAnswer>, ApiError> {
    let (user, memberships) = api
        .identity()
        .me(auth.ctx())
        .await?
        .ok_or(ApiError::InvalidToken)?;
    let claims = auth.principal().claims();
    let in_org = claims.org.as_ref().map(|org| org.id);
    let org = memberships
        .iter()
        .find(|membership| Some(membership.org) == in_org);
    Ok(Json(MeAnswer {
        user: PersonAnswer::of(&user),
        session_id: auth.ctx().session(),
        aal: claims.aal.get(),
        auth_time: claims.auth_time.to_string(),
        org: org.map(MembershipAnswer::of),
        orgs: memberships.iter().map(MembershipAnswer::of).collect(),
        administrator: user.administrator,
    }))
}

/// `?reissue=true` of a changed credential.
#[derive(Debug)]
pub(crate) struct Reissue(pub(super) bool);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Reissue {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut reissue = false;
        for (name, value) in query::pairs(parts)? {
            match (name.as_str(), value.as_str()) {
                ("reissue", "true") => reissue = true,
                ("reissue", "false") => {}
                ("reissue", _) => return Err(ApiError::field("reissue", "must be true or false")),
                _ => query::none_left(&[(name, value)])?,
            }
        }
        Ok(Self(reissue))
    }
}

/// `POST /api/v1/me/password`.
#[utoipa::path(post, path = "", operation_id = "me_password", tag = "me", request_body = PasswordRequest, responses((status = 200, description = "as asked", body = TokenPair), (status = 204, description = "as asked")))]
pub(crate) async fn password(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
    Reissue(reissue): Reissue,
    Body(body): Body<PasswordRequest>,
) -> Result<Response, ApiError> {
    if reissue {
        api.plane().ready_to_mint().await?;
    }
    let changed = api
        .identity()
        .change_password(auth.ctx(), body.current, body.new, reissue)
        .await?;
    match changed {
        Some(signed_in) => Ok(Json(api.token_pair(&signed_in).await?).into_response()),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// `GET /api/v1/sessions`.
#[utoipa::path(get, path = "", operation_id = "me_sessions", tag = "me", params(Paging), responses((status = 200, description = "as asked", body = PageAnswer<SessionAnswer>)))]
pub(crate) async fn sessions(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<SessionAnswer>>, ApiError> {
    let current = auth.ctx().session();
    let page = api.identity().sessions(auth.ctx(), &page).await?;
    Ok(Json(PageAnswer::of(page, |view| {
        SessionAnswer::of(view, Some(current))
    })))
}

/// `DELETE /api/v1/sessions/{id}`.
#[utoipa::path(delete, path = "", operation_id = "me_end_session", tag = "me", responses((status = 204, description = "as asked")))]
pub(crate) async fn end_session(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
    PathId(session): PathId<SessionId>,
) -> Result<StatusCode, ApiError> {
    if api.identity().revoke_session(auth.ctx(), session).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// `DELETE /api/v1/sessions`.
#[utoipa::path(delete, path = "", operation_id = "me_end_other_sessions", tag = "me", responses((status = 204, description = "as asked")))]
pub(crate) async fn end_other_sessions(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
) -> Result<StatusCode, ApiError> {
    api.identity().revoke_other_sessions(auth.ctx()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/orgs/{org}/token`.
#[utoipa::path(post, path = "", operation_id = "me_org_token", tag = "me", responses((status = 200, description = "as asked", body = TokenAnswer)))]
pub(crate) async fn org_token(
    auth: Auth<Authenticated>,
    State(api): State<ApiState>,
    names: PathNames,
    _: NoBody,
) -> Result<Json<TokenAnswer>, ApiError> {
    let org: OrgRef = names
        .get("org")
        .and_then(|org| org.parse().ok())
        .ok_or(ApiError::NotFound)?;
    api.plane().ready_to_mint().await?;
    let (user, session, scope) = api.identity().org_token(auth.ctx(), &org).await?;
    let token = api.org_token(&user, &session, &scope, auth.at()).await?;
    Ok(Json(token))
}
