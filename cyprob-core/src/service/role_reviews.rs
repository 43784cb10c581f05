//! Reviews of an organization's roles: opened, looked at, signed by a person.

use super::Identity;
use crate::domain::audit::{Action, Actor, AuditEvent, MetaValue, Resource};
use crate::domain::{
    MappingDigest, OrgCtx, Page, PageRequest, ReviewId, ReviewNote, ReviewRecord, RoleChanges,
    RoleHolder, RoleReview, SignOff, Timestamp, UserId,
};
use crate::ports::EntropyExt;
use crate::ports::store::{SignOffOutcome, StoreError};

/// Why a review was not opened, found or signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// The organization has no such review; an open one is gone once another is opened.
    #[error("no such review")]
    NotFound,
    /// The caller is no person: a machine stands for nothing.
    #[error("a review is a person's")]
    NotAPerson,
    /// The roles are other ones than the review says, or the digest is another review's.
    #[error("the roles changed since the review was opened")]
    Changed,
    /// Somebody signed it before.
    #[error("the review is signed")]
    AlreadySigned,
    /// The store failed.
    #[error("the review could not be read or stored")]
    Store(#[from] StoreError),
}

/// A review, and who holds a role now.
#[derive(Clone, Debug)]
pub struct ReviewInView {
    /// The review.
    pub review: RoleReview,
    /// Everyone who holds a role now, by account id.
    pub holders: Vec<RoleHolder>,
}

impl Identity {
    /// Takes down who holds which role now, for somebody to sign.
    ///
    /// An organization has at most one open review: a second one replaces it.
    ///
    /// # Errors
    ///
    /// [`ReviewError`]; nothing was stored.
    #[tracing::instrument(name = "core.role_review.open", skip_all, fields(org.id = %org.org()))]
    pub async fn open_role_review(&self, org: &OrgCtx) -> Result<ReviewInView, ReviewError> {
        let opened_by = person(org)?;
        let at = self.now();
        let holders = self.store().role_holders(org).await?;
        let mapping: Vec<_> = holders.iter().map(|holder| holder.held.clone()).collect();
        let record = ReviewRecord {
            id: self.parts.entropy.id(at),
            digest: MappingDigest::of(org.org(), &mapping),
            members: u32::try_from(mapping.len()).unwrap_or(u32::MAX),
            opened_by,
            opened_at: at,
            signed: None,
        };
        let event = self
            .review_event(org, at, Action::RoleReviewOpened, record.id, record.digest)
            .with("members", MetaValue::count(record.members.into()));
        let review = RoleReview { record, mapping };
        self.store().open_review(org, &review, &[event]).await?;
        Ok(ReviewInView { review, holders })
    }

    /// Signs an open review: the caller stands for the roles as they are, which are those it says.
    ///
    /// `digest` is the one that the signer looked at. The record says
    /// `self_reviewed` if the signer was the last to change any membership since
    /// the signed review before this one (ever, if there is none): by an
    /// invitation that was accepted, a role change or a removal. Such a review
    /// counts, and shows that nobody else looked.
    ///
    /// # Errors
    ///
    /// [`ReviewError`]; nothing was signed.
    #[tracing::instrument(name = "core.role_review.sign", skip_all, fields(org.id = %org.org(), review.id = %id))]
    pub async fn sign_role_review(
        &self,
        org: &OrgCtx,
        id: ReviewId,
        digest: MappingDigest,
        note: ReviewNote,
    ) -> Result<ReviewRecord, ReviewError> {
        let by = person(org)?;
        let at = self.now();
        let review = self.store().review(org, id).await?;
        let review = review.ok_or(ReviewError::NotFound)?;
        if review.record.digest != digest {
            return Err(ReviewError::Changed);
        }
        let last = self.store().last_signed_review(org).await?;
        let since = last.map_or(Timestamp::UNIX_EPOCH, |last| last.opened_at);
        let sign_off = SignOff {
            by,
            at,
            self_reviewed: self.store().changed_roles(org, by, since).await?,
            note,
        };
        let event = self
            .review_event(org, at, Action::RoleReviewSigned, id, digest)
            .with("self_reviewed", MetaValue::public(sign_off.self_reviewed))
            .with(
                "note",
                MetaValue::personal(Some(by), sign_off.note.as_str()),
            );
        let events = [event];
        match self
            .store()
            .sign_review(org, id, &sign_off, &events)
            .await?
        {
            SignOffOutcome::Signed(record) => Ok(record),
            SignOffOutcome::Changed => Err(ReviewError::Changed),
            SignOffOutcome::AlreadySigned => Err(ReviewError::AlreadySigned),
            SignOffOutcome::NotFound => Err(ReviewError::NotFound),
        }
    }

    /// The organization's reviews, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn role_reviews(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<ReviewRecord>, StoreError> {
        self.store().reviews(org, page).await
    }

    /// One review, and who holds a role now.
    ///
    /// # Errors
    ///
    /// [`ReviewError::NotFound`] or [`ReviewError::Store`].
    pub async fn role_review(
        &self,
        org: &OrgCtx,
        id: ReviewId,
    ) -> Result<ReviewInView, ReviewError> {
        let review = self.store().review(org, id).await?;
        let review = review.ok_or(ReviewError::NotFound)?;
        let holders = self.store().role_holders(org).await?;
        Ok(ReviewInView { review, holders })
    }

    /// The latest roles that somebody stands for; `None` if nobody ever signed a review.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn last_signed_role_review(
        &self,
        org: &OrgCtx,
    ) -> Result<Option<ReviewRecord>, StoreError> {
        self.store().last_signed_review(org).await
    }

    fn review_event(
        &self,
        org: &OrgCtx,
        at: Timestamp,
        action: Action,
        id: ReviewId,
        digest: MappingDigest,
    ) -> AuditEvent {
        self.event(at, org.caller(), action, Resource::new("role_review", id))
            .in_org(org.org())
            .with("digest", MetaValue::public(digest))
    }
}

impl ReviewInView {
    /// What changed since the review was opened.
    #[must_use]
    pub fn changes(&self) -> RoleChanges {
        let now: Vec<_> = self.holders.iter().map(|it| it.held.clone()).collect();
        RoleChanges::between(&self.review.mapping, &now)
    }
}

/// The person who acts.
fn person(org: &OrgCtx) -> Result<UserId, ReviewError> {
    match org.caller().actor {
        Actor::User { id, .. } => Ok(id),
        _ => Err(ReviewError::NotAPerson),
    }
}
