//! Reviews of an organization's roles.

use std::collections::BTreeMap;

use cyprob_core::domain::{
    HeldRole, MappingDigest, ReviewId, ReviewNote, ReviewRecord, RoleHolder, RoleMove, RoleName,
    SignOff, UserId,
};
use cyprob_core::service::ReviewInView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A review without its lines.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewRecordAnswer {
    #[schema(value_type = String)]
    id: ReviewId,
    digest: String,
    members: u32,
    #[schema(value_type = String)]
    opened_by: UserId,
    opened_at: String,
    signed: Option<SignedAnswer>,
}

/// Who stands for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedAnswer {
    #[schema(value_type = String)]
    by: UserId,
    at: String,
    note: String,
    self_reviewed: bool,
}

impl ReviewRecordAnswer {
    pub(crate) fn of(record: ReviewRecord) -> Self {
        Self {
            id: record.id,
            digest: record.digest.to_string(),
            members: record.members,
            opened_by: record.opened_by,
            opened_at: record.opened_at.to_string(),
            signed: record.signed.map(SignedAnswer::of),
        }
    }
}

impl SignedAnswer {
    fn of(sign_off: SignOff) -> Self {
        Self {
            by: sign_off.by,
            at: sign_off.at.to_string(),
            note: sign_off.note.as_str().to_owned(),
            self_reviewed: sign_off.self_reviewed,
        }
    }
}

/// Someone in a review; one who is no member any more has an id alone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewedPersonAnswer {
    #[schema(value_type = String)]
    id: UserId,
    email: Option<String>,
    name: Option<String>,
}

/// The members of now, by id.
struct People(BTreeMap<UserId, RoleHolder>);

impl People {
    fn of(holders: &[RoleHolder]) -> Self {
        let by_id = |holder: &RoleHolder| (holder.held.user, holder.clone());
        Self(holders.iter().map(by_id).collect())
    }

    fn person(&self, id: UserId) -> ReviewedPersonAnswer {
        let known = self.0.get(&id);
        ReviewedPersonAnswer {
            id,
            email: known.map(|known| known.email.as_str().to_owned()),
            name: known.map(|known| known.name.as_str().to_owned()),
        }
    }

    fn line(&self, held: &HeldRole) -> HeldRoleAnswer {
        HeldRoleAnswer {
            user: self.person(held.user),
            role: held.role.clone(),
            since: held.since.to_string(),
            last_used_at: held.last_used_at.map(|at| at.to_string()),
        }
    }

    fn lines(&self, held: &[HeldRole]) -> Vec<HeldRoleAnswer> {
        held.iter().map(|held| self.line(held)).collect()
    }

    fn moved(&self, moved: &RoleMove) -> RoleMoveAnswer {
        RoleMoveAnswer {
            user: self.person(moved.user),
            from: moved.from.clone(),
            to: moved.to.clone(),
        }
    }
}

/// One line of a review.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldRoleAnswer {
    user: ReviewedPersonAnswer,
    #[schema(value_type = String)]
    role: RoleName,
    since: String,
    last_used_at: Option<String>,
}

/// A review with its lines.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleReviewAnswer {
    #[serde(flatten)]
    record: ReviewRecordAnswer,
    mapping: Vec<HeldRoleAnswer>,
}

impl RoleReviewAnswer {
    pub(crate) fn of(found: ReviewInView) -> Self {
        Self {
            mapping: People::of(&found.holders).lines(&found.review.mapping),
            record: ReviewRecordAnswer::of(found.review.record),
        }
    }
}

/// A member with another role than the reviewed one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleMoveAnswer {
    user: ReviewedPersonAnswer,
    #[schema(value_type = String)]
    from: RoleName,
    #[schema(value_type = String)]
    to: RoleName,
}

/// What changed since a review was opened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleChangesAnswer {
    added: Vec<HeldRoleAnswer>,
    removed: Vec<HeldRoleAnswer>,
    changed: Vec<RoleMoveAnswer>,
}

impl RoleChangesAnswer {
    pub(crate) fn of(found: &ReviewInView) -> Self {
        let people = People::of(&found.holders);
        let changes = found.changes();
        let moved = changes.changed.iter();
        Self {
            added: people.lines(&changes.added),
            removed: people.lines(&changes.removed),
            changed: moved.map(|moved| people.moved(moved)).collect(),
        }
    }
}

/// `POST role-reviews/{id}/sign-off`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignOffRequest {
    /// The digest of the review that the signer looked at.
    #[schema(value_type = String)]
    pub(crate) digest: MappingDigest,
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    pub(crate) note: ReviewNote,
}
