//! Organizations and roles.

use cyprob_core::domain::{DisplayName, Email, Membership, OrgId, OrgSlug, Organization, RoleName};
use cyprob_core::ports::store::PolicyUpdate;
use cyprob_core::service::NewOrg;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::NewInvitationAnswer;
use crate::http::body::Object;

/// A person's place in an organization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MembershipAnswer {
    #[schema(value_type = String)]
    pub(crate) id: OrgId,
    #[schema(value_type = String)]
    pub(crate) slug: OrgSlug,
    #[schema(value_type = String)]
    pub(crate) role: RoleName,
}

impl MembershipAnswer {
    pub(crate) fn of(membership: &Membership) -> Self {
        Self {
            id: membership.org,
            slug: membership.slug.clone(),
            role: membership.role.clone(),
        }
    }
}

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrgAnswer {
    #[schema(value_type = String)]
    id: OrgId,
    #[schema(value_type = String)]
    slug: OrgSlug,
    #[schema(value_type = String)]
    name: DisplayName,
    created_at: String,
    policy: PolicyAnswer,
}

#[derive(Debug, Serialize, ToSchema)]
struct PolicyAnswer {
    factor_required: bool,
    max_session_seconds: Option<u32>,
}

impl OrgAnswer {
    pub(crate) fn of(org: Organization) -> Self {
        let Organization {
            id,
            slug,
            name,
            policy,
            created_at,
        } = org;
        let policy = PolicyAnswer {
            factor_required: policy.factor_required,
            max_session_seconds: policy.max_session_seconds,
        };
        Self {
            id,
            slug,
            name,
            created_at: created_at.to_string(),
            policy,
        }
    }
}

/// `PATCH` of an organization; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateOrgRequest {
    #[schema(value_type = Option<String>)]
    pub(crate) name: Option<DisplayName>,
    #[schema(value_type = Option<PolicyRequest>)]
    pub(crate) policy: Option<Object<PolicyRequest>>,
}

/// The organization's rules; what is absent stays, `null` lifts the bound.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyRequest {
    /// Whether a session gets a token of the organization only once it has shown a second factor.
    factor_required: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 300, maximum = 7_776_000)]
    max_session_seconds: Option<Option<SessionSeconds>>,
}

impl PolicyRequest {
    /// What is to change.
    pub(crate) fn update(&self) -> PolicyUpdate {
        let seconds = self.max_session_seconds;
        PolicyUpdate {
            max_session_seconds: seconds.map(|bound| bound.map(|SessionSeconds(seconds)| seconds)),
            factor_required: self.factor_required,
        }
    }
}

/// Five minutes to ninety days.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
struct SessionSeconds(u32);

impl TryFrom<u32> for SessionSeconds {
    type Error = &'static str;

    fn try_from(seconds: u32) -> Result<Self, &'static str> {
        if (300..=90 * 86_400).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err("must lie between 300 and 7776000 seconds")
        }
    }
}

/// Tells a field that is `null` from one that is absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// `POST system/orgs`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOrgRequest {
    #[schema(value_type = String)]
    pub(crate) slug: OrgSlug,
    #[schema(value_type = String)]
    pub(crate) name: DisplayName,
    #[schema(value_type = String)]
    pub(crate) owner_email: Email,
}

/// The answer to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewOrgAnswer {
    #[schema(value_type = String)]
    id: OrgId,
    #[schema(value_type = String)]
    slug: OrgSlug,
    #[schema(value_type = String)]
    name: DisplayName,
    invitation: NewInvitationAnswer,
}

impl NewOrgAnswer {
    pub(crate) fn of(new: &NewOrg) -> Self {
        Self {
            id: new.org.id,
            slug: new.org.slug.clone(),
            name: new.org.name.clone(),
            invitation: NewInvitationAnswer::new(&new.invitation, &new.token),
        }
    }
}
