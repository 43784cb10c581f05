//! Stored revocations.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use super::row::Columns;
use super::sql;
use super::store::SqliteStore;
use super::tx::Write;
use crate::domain::{OrgId, Revocation, RevocationEntry, Timestamp};
use crate::ports::store::{RevocationStore, StoreError};

const SESSION: i64 = 1;
const GRANT: i64 = 2;
const USER: i64 = 3;
const MEMBER: i64 = 4;

pub(super) async fn insert(write: &mut Write, entry: &RevocationEntry) -> Result<(), StoreError> {
    let (kind, subject, org, epoch) = match entry.what {
        Revocation::Session(session) => (SESSION, *session.as_bytes(), None, None),
        Revocation::Grant(session, org) => (GRANT, *session.as_bytes(), Some(org), None),
        Revocation::User(user, epoch) => (USER, *user.as_bytes(), None, Some(epoch)),
        Revocation::Member(org, user, epoch) => (MEMBER, *user.as_bytes(), Some(org), Some(epoch)),
    };
    sqlx::query(sql::INSERT_REVOCATION)
        .bind(kind)
        .bind(subject.as_slice())
        .bind(org.as_ref().map(|org: &OrgId| org.as_bytes().as_slice()))
        .bind(epoch.map(crate::domain::Epoch::get))
        .bind(entry.expires_at.as_micros())
        .execute(write.connection())
        .await
        .map_err(StoreError::unavailable)?;
    Ok(())
}

fn entry(row: &SqliteRow) -> Result<RevocationEntry, StoreError> {
    let row = Columns::of(row, "revocations");
    let what = match row.get::<i64>("kind")? {
        SESSION => Revocation::Session(row.id("subject")?),
        GRANT => Revocation::Grant(row.id("subject")?, row.id("org_id")?),
        USER => Revocation::User(row.id("subject")?, row.epoch("epoch")?),
        MEMBER => Revocation::Member(row.id("org_id")?, row.id("subject")?, row.epoch("epoch")?),
        _ => {
            return Err(StoreError::Corrupt {
                table: "revocations",
                column: "kind",
            });
        }
    };
    Ok(RevocationEntry {
        what,
        expires_at: row.time("expires_at")?,
    })
}

#[async_trait]
impl RevocationStore for SqliteStore {
    async fn live_revocations(&self, at: Timestamp) -> Result<Vec<RevocationEntry>, StoreError> {
        let rows = sqlx::query(sql::LIVE_REVOCATIONS)
            .bind(at.as_micros())
            .fetch_all(self.read())
            .await
            .map_err(StoreError::unavailable)?;
        rows.iter().map(entry).collect()
    }

    async fn sweep_revocations(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let swept = sqlx::query(sql::SWEEP_REVOCATIONS)
            .bind(at.as_micros())
            .execute(write.connection())
            .await
            .map_err(StoreError::unavailable)?;
        write.commit().await?;
        Ok(swept.rows_affected())
    }
}
