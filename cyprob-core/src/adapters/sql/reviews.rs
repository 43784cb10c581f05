//! Reviews of an organization's roles.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{
    HeldRole, MappingDigest, OrgCtx, OrgId, Page, PageRequest, ReviewId, ReviewRecord, RoleHolder,
    RoleReview, SignOff, Timestamp, UserId,
};
use crate::ports::store::{ReviewStore, SignOffOutcome, StoreError};

const TABLE: &str = "role_reviews";

fn holder<B: Backend>(row: &B::Row) -> Result<RoleHolder, StoreError> {
    let row = Columns::of(row, "memberships");
    Ok(RoleHolder {
        email: row.parse("email")?,
        name: row.parse("name")?,
        held: HeldRole {
            user: row.id("id")?,
            role: row.parse("role")?,
            since: row.time("since")?,
            last_used_at: row.optional_time("last_used_at")?,
        },
    })
}

fn record<B: Backend>(row: &B::Row) -> Result<ReviewRecord, StoreError> {
    let row = Columns::of(row, TABLE);
    let signed = match row.optional_time("signed_at")? {
        None => None,
        Some(at) => Some(SignOff {
            by: row.id("signed_by")?,
            at,
            note: row.parse("note")?,
            self_reviewed: row.get("self_reviewed")?,
        }),
    };
    let digest = row.read("digest", |bytes: &[u8]| bytes.try_into().ok())?;
    Ok(ReviewRecord {
        id: row.id("id")?,
        digest: MappingDigest::from_bytes(digest),
        members: row.u32("members")?,
        opened_by: row.id("opened_by")?,
        opened_at: row.time("opened_at")?,
        signed,
    })
}

fn review<B: Backend>(row: &B::Row) -> Result<RoleReview, StoreError> {
    let mapping = Columns::of(row, TABLE).read("mapping", |text: &str| {
        serde_json::from_str::<Vec<HeldRole>>(text).ok()
    })?;
    Ok(RoleReview {
        record: record::<B>(row)?,
        mapping,
    })
}

/// The digest of the roles as they are, in the transaction that signs for them.
async fn digest_of_now<B: Backend>(
    write: &mut Write<B>,
    org: OrgId,
) -> Result<MappingDigest, StoreError> {
    let rows = write
        .fetch_all(&sql::TENANT_ROLE_HOLDERS, &[org.into()])
        .await?;
    let holders = rows.iter().map(holder::<B>);
    let holders = holders.collect::<Result<Vec<_>, _>>()?;
    Ok(MappingDigest::of(
        org,
        holders.iter().map(|holder| &holder.held),
    ))
}

#[async_trait]
impl<B: Backend> ReviewStore for SqlStore<B> {
    async fn role_holders(&self, org: &OrgCtx) -> Result<Vec<RoleHolder>, StoreError> {
        let rows = self
            .reading(Scope::org(org.org()))
            .await?
            .fetch_all(&sql::TENANT_ROLE_HOLDERS, &[org.org().into()])
            .await?;
        rows.iter().map(holder::<B>).collect()
    }

    async fn changed_roles(
        &self,
        org: &OrgCtx,
        by: UserId,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let found = self
            .reading(Scope::org(org.org()))
            .await?
            .fetch_optional(
                &sql::TENANT_CHANGED_ROLES,
                &[org.org().into(), by.into(), since.into()],
            )
            .await?;
        Ok(found.is_some())
    }

    async fn open_review(
        &self,
        org: &OrgCtx,
        review: &RoleReview,
        events: &[AuditEvent],
    ) -> Result<(), StoreError> {
        let mapping = serde_json::to_string(&review.mapping).map_err(StoreError::unavailable)?;
        let record = &review.record;
        let org = org.org();
        let mut write = self.writing(Scope::org(org)).await?;
        // Of two that open at once, the later one must find the earlier.
        write.lock(&sql::LOCK_ORG, &[org.into()]).await?;
        write
            .execute(&sql::TENANT_DROP_OPEN_REVIEW, &[org.into()])
            .await?;
        write
            .execute(
                &sql::TENANT_INSERT_REVIEW,
                &[
                    org.into(),
                    record.id.into(),
                    Arg::bytes(record.digest.as_bytes()),
                    record.members.into(),
                    mapping.into(),
                    record.opened_by.into(),
                    record.opened_at.into(),
                ],
            )
            .await?;
        write.record(events).await?;
        write.commit().await
    }

    async fn reviews(
        &self,
        org: &OrgCtx,
        page: &PageRequest,
    ) -> Result<Page<ReviewRecord>, StoreError> {
        let rows = self
            .reading(Scope::org(org.org()))
            .await?
            .fetch_all(
                &sql::TENANT_REVIEWS,
                &[org.org().into(), Arg::after(page), Arg::limit(page)],
            )
            .await?;
        let records = rows.iter().map(record::<B>).collect::<Result<_, _>>()?;
        Ok(Page::cut(records, page, |record| {
            record.id.as_bytes().to_vec()
        }))
    }

    async fn last_signed_review(&self, org: &OrgCtx) -> Result<Option<ReviewRecord>, StoreError> {
        let row = self
            .reading(Scope::org(org.org()))
            .await?
            .fetch_optional(&sql::TENANT_LAST_SIGNED_REVIEW, &[org.org().into()])
            .await?;
        row.as_ref().map(record::<B>).transpose()
    }

    async fn review(&self, org: &OrgCtx, id: ReviewId) -> Result<Option<RoleReview>, StoreError> {
        let row = self
            .reading(Scope::org(org.org()))
            .await?
            .fetch_optional(&sql::TENANT_REVIEW, &[org.org().into(), id.into()])
            .await?;
        row.as_ref().map(review::<B>).transpose()
    }

    async fn sign_review(
        &self,
        org: &OrgCtx,
        id: ReviewId,
        sign_off: &SignOff,
        events: &[AuditEvent],
    ) -> Result<SignOffOutcome, StoreError> {
        let org = org.org();
        let mut write = self.writing(Scope::org(org)).await?;
        // Whoever changes a role or joins waits, or has come before.
        write.lock(&sql::LOCK_ORG, &[org.into()]).await?;
        let row = write
            .fetch_optional(&sql::TENANT_REVIEW, &[org.into(), id.into()])
            .await?;
        let Some(row) = row else {
            return Ok(SignOffOutcome::NotFound);
        };
        let mut record = record::<B>(&row)?;
        if record.signed.is_some() {
            return Ok(SignOffOutcome::AlreadySigned);
        }
        if record.digest != digest_of_now(&mut write, org).await? {
            return Ok(SignOffOutcome::Changed);
        }
        let signed = write
            .execute(
                &sql::TENANT_SIGN_REVIEW,
                &[
                    org.into(),
                    id.into(),
                    sign_off.by.into(),
                    sign_off.at.into(),
                    sign_off.note.as_str().into(),
                    sign_off.self_reviewed.into(),
                ],
            )
            .await?;
        if signed == 0 {
            return Ok(SignOffOutcome::AlreadySigned);
        }
        write.record(events).await?;
        write.commit().await?;
        record.signed = Some(sign_off.clone());
        Ok(SignOffOutcome::Signed(record))
    }
}
