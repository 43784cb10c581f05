//! Reviews of an organization's roles.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::audit::AuditEvent;
use crate::domain::{
    OrgCtx, Page, PageRequest, ReviewId, ReviewRecord, RoleHolder, RoleReview, SignOff, Timestamp,
    UserId,
};

/// What became of a sign-off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignOffOutcome {
    /// The review is signed, and stays as it is.
    Signed(ReviewRecord),
    /// The roles are other ones than the review says. Nothing changed.
    Changed,
    /// Somebody signed it before. Nothing changed.
    AlreadySigned,
    /// The organization has no such review. Nothing changed.
    NotFound,
}

/// Reviews of who holds which role in one organization.
#[async_trait]
pub trait ReviewStore: Debug + Send + Sync + 'static {
    /// Everyone who holds a role now, by account id.
    async fn role_holders(&self, org: &OrgCtx) -> Result<Vec<RoleHolder>, StoreError>;

    /// Whether the person was the last to change some membership at `since` or later: by an
    /// invitation that was accepted, a role change or a removal.
    async fn changed_roles(
        &self,
        org: &OrgCtx,
        by: UserId,
        since: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Stores an open review in place of the one that is open, if one is.
    async fn open_review(
        &self,
        org: &OrgCtx,
        review: &RoleReview,
        events: &[AuditEvent],
    ) -> Result<(), StoreError>;

    /// The organization's reviews, oldest first (cursor: the id's bytes).
    async fn reviews(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<ReviewRecord>, StoreError>;

    /// The signed review whose mapping is the latest.
    async fn last_signed_review(&self, org: &OrgCtx) -> Result<Option<ReviewRecord>, StoreError>;

    /// One review with its mapping.
    async fn review(&self, org: &OrgCtx, id: ReviewId) -> Result<Option<RoleReview>, StoreError>;

    /// Signs an open review, if the roles of now have its digest. No role changes in between.
    async fn sign_review(
        &self,
        org: &OrgCtx,
        id: ReviewId,
        sign_off: &SignOff,
        events: &[AuditEvent],
    ) -> Result<SignOffOutcome, StoreError>;
}
