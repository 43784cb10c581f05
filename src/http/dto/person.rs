//! People as others see them, and as they see themselves.

use cyprob_core::domain::{DisplayName, Email, Member, RoleName, SessionId, User, UserId};
use cyprob_core::service::Accepted;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::role::Version;

use super::MembershipAnswer;
use crate::Holder;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonAnswer {
    #[schema(value_type = String)]
    pub(crate) id: UserId,
    #[schema(value_type = String)]
    pub(crate) email: Email,
    #[schema(value_type = String)]
    pub(crate) name: DisplayName,
}

impl PersonAnswer {
    pub(crate) fn of(user: &User) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
        }
    }
}

/// `GET me`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeAnswer {
    pub(crate) user: PersonAnswer,
    #[schema(value_type = String)]
    pub(crate) session_id: SessionId,
    pub(crate) aal: u8,
    pub(crate) auth_time: String,
    pub(crate) org: Option<MembershipAnswer>,
    pub(crate) orgs: Vec<MembershipAnswer>,
    pub(crate) administrator: bool,
}

/// A person and the organization they have just come into: bootstrap and acceptance.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonInOrgAnswer {
    user: PersonAnswer,
    org: MembershipAnswer,
}

impl PersonInOrgAnswer {
    pub(crate) fn accepted(accepted: &Accepted) -> Self {
        let org = MembershipAnswer {
            id: accepted.org.id,
            slug: accepted.org.slug.clone(),
            role: accepted.role.clone(),
        };
        Self {
            user: PersonAnswer::of(&accepted.user),
            org,
        }
    }

    pub(crate) fn founded(founded: &cyprob_core::service::Founded) -> Self {
        let org = MembershipAnswer {
            id: founded.org.id,
            slug: founded.org.slug.clone(),
            role: RoleName::OWNER,
        };
        Self {
            user: PersonAnswer::of(&founded.user),
            org,
        }
    }
}

/// A member of an organization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberAnswer {
    user: PersonAnswer,
    #[schema(value_type = String)]
    role: RoleName,
    since: String,
    /// Asked who has a permission: `always`, or the conditions under which the role gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
}

impl MemberAnswer {
    pub(crate) fn who_can(holder: Holder<Member>) -> Self {
        let when = Some(holder.when());
        Self {
            when,
            ..Self::of(holder.who)
        }
    }

    pub(crate) fn of(member: Member) -> Self {
        let Member {
            user,
            email,
            name,
            role,
            since,
            disabled: _,
        } = member;
        Self {
            user: PersonAnswer {
                id: user,
                email,
                name,
            },
            role,
            since: since.to_string(),
            when: None,
        }
    }
}

/// `PUT members/{user}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetRoleRequest {
    #[schema(value_type = String)]
    pub(crate) role: RoleName,
    /// The version of the role that the sender has seen: 409 if it is another one by now.
    #[schema(value_type = Option<String>)]
    pub(crate) role_version: Option<Version>,
}
