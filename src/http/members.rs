//! Members and invitations of an organization.

use axum::Json;
use axum::extract::State;
use cyprob_authz::http::{Auth, Org, Public, perm};
use cyprob_core::domain::{InvitationId, UserId};
use cyprob_core::service::NewAccount;
use http::StatusCode;

use super::body::Body;
use super::dto::{
    AcceptRequest, InvitationAnswer, InviteRequest, MemberAnswer, NewInvitationAnswer, PageAnswer,
    PersonInOrgAnswer, SetRoleRequest, choice,
};
use super::path::PathId;
use super::query::{HolderPaging, Paging};
use super::{ApiError, ApiState};

/// `GET /api/v1/orgs/{org}/members`; with `?permission=`, those who have it.
#[utoipa::path(get, path = "", operation_id = "members_list", tag = "members", params(HolderPaging), responses((status = 200, description = "as asked", body = PageAnswer<MemberAnswer>)))]
pub(crate) async fn list(
    auth: Auth<Org<perm::MembersRead>>,
    State(api): State<ApiState>,
    HolderPaging { page, permission }: HolderPaging,
) -> Result<Json<PageAnswer<MemberAnswer>>, ApiError> {
    Ok(Json(match permission {
        None => {
            let members = api.identity().members(auth.ctx(), &page).await?;
            PageAnswer::of(members, MemberAnswer::of)
        }
        Some(permission) => {
            let holders = api.plane().who_can(auth.ctx(), permission, &page).await?;
            PageAnswer::of(holders, MemberAnswer::who_can)
        }
    }))
}

/// `PUT /api/v1/orgs/{org}/members/{user}`.
#[utoipa::path(put, path = "", operation_id = "members_set_role", tag = "members", request_body = SetRoleRequest, responses((status = 200, description = "as asked", body = MemberAnswer)))]
pub(crate) async fn set_role(
    auth: Auth<Org<perm::MembersWrite>>,
    State(api): State<ApiState>,
    PathId(user): PathId<UserId>,
    Body(body): Body<SetRoleRequest>,
) -> Result<Json<MemberAnswer>, ApiError> {
    let role = choice(body.role, body.role_version);
    let member = api.identity().set_role(auth.ctx(), user, role).await?;
    Ok(Json(MemberAnswer::of(member)))
}

/// `DELETE /api/v1/orgs/{org}/members/{user}`.
#[utoipa::path(delete, path = "", operation_id = "members_remove", tag = "members", responses((status = 204, description = "as asked")))]
pub(crate) async fn remove(
    auth: Auth<Org<perm::MembersWrite>>,
    State(api): State<ApiState>,
    PathId(user): PathId<UserId>,
) -> Result<StatusCode, ApiError> {
    api.identity().remove_member(auth.ctx(), user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/orgs/{org}/invitations`.
#[utoipa::path(post, path = "", operation_id = "members_invite", tag = "members", request_body = InviteRequest, responses((status = 201, description = "as asked", body = NewInvitationAnswer)))]
pub(crate) async fn invite(
    auth: Auth<Org<perm::MembersWrite>>,
    State(api): State<ApiState>,
    Body(body): Body<InviteRequest>,
) -> Result<(StatusCode, Json<NewInvitationAnswer>), ApiError> {
    let new = api
        .identity()
        .invite(auth.ctx(), body.email, choice(body.role, body.role_version))
        .await?;
    let answer = NewInvitationAnswer::new(&new.invitation, &new.token);
    Ok((StatusCode::CREATED, Json(answer)))
}

/// `GET /api/v1/orgs/{org}/invitations`.
#[utoipa::path(get, path = "", operation_id = "members_invitations", tag = "members", params(Paging), responses((status = 200, description = "as asked", body = PageAnswer<InvitationAnswer>)))]
pub(crate) async fn invitations(
    auth: Auth<Org<perm::MembersWrite>>,
    State(api): State<ApiState>,
    Paging(page): Paging,
) -> Result<Json<PageAnswer<InvitationAnswer>>, ApiError> {
    let (page, at) = api.identity().invitations(auth.ctx(), &page).await?;
    Ok(Json(PageAnswer::of(page, |invitation| {
        InvitationAnswer::of(invitation, at)
    })))
}

/// `DELETE /api/v1/orgs/{org}/invitations/{id}`.
#[utoipa::path(delete, path = "", operation_id = "members_revoke_invitation", tag = "members", responses((status = 204, description = "as asked")))]
pub(crate) async fn revoke_invitation(
    auth: Auth<Org<perm::MembersWrite>>,
    State(api): State<ApiState>,
    PathId(invitation): PathId<InvitationId>,
) -> Result<StatusCode, ApiError> {
    if api
        .identity()
        .revoke_invitation(auth.ctx(), invitation)
        .await?
    {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// `POST /api/v1/invitations/accept`.
#[utoipa::path(post, path = "", operation_id = "members_accept", tag = "members", request_body = AcceptRequest, responses((status = 201, description = "as asked", body = PersonInOrgAnswer)))]
pub(crate) async fn accept(
    auth: Auth<Public>,
    State(api): State<ApiState>,
    Body(body): Body<AcceptRequest>,
) -> Result<(StatusCode, Json<PersonInOrgAnswer>), ApiError> {
    let accepted = match (auth.signed_in(), body.name, body.password) {
        (Some(by), None, None) => {
            api.identity()
                .accept_as_user(by.user(), &body.token)
                .await?
        }
        (Some(_), _, _) => {
            return Err(ApiError::field(
                "password",
                "is not taken from one who is signed in",
            ));
        }
        (None, name, password) => {
            let account = name
                .zip(password)
                .map(|(name, password)| NewAccount { name, password });
            let accepted = api
                .identity()
                .accept_as_new(&body.token, account, auth.ctx())
                .await;
            api.late().answer(accepted).await?
        }
    };
    Ok((
        StatusCode::CREATED,
        Json(PersonInOrgAnswer::accepted(&accepted)),
    ))
}
