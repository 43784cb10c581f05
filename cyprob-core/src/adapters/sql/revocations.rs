//! Stored revocations.

use async_trait::async_trait;

use super::tx::Write;
use super::{Arg, Backend, Columns, Scope, SqlStore, sql};
use crate::domain::{Revocation, RevocationEntry, SessionId, Timestamp, Whose};
use crate::ports::store::{RevocationStore, StoreError};

/// Whoever checks tokens must know the revocations of all organizations.
const FEED: Scope = Scope::system("the feed of revocations");

/// The subject of what is about no one person or session.
const NOBODY: [u8; 16] = [0; 16];

const SESSION: i64 = 1;
const GRANT: i64 = 2;
const USER: i64 = 3;
const MEMBER: i64 = 4;
const OPENED_EVERYONE: i64 = 5;
const OPENED_USER: i64 = 6;
const OPENED_ORG: i64 = 7;
const ROLE: i64 = 8;
const SERVICE: i64 = 9;
const SERVICE_KEY: i64 = 10;

pub(super) async fn insert<B: Backend>(
    write: &mut Write<B>,
    entry: &RevocationEntry,
) -> Result<(), StoreError> {
    let (mut until, mut kept) = (None, None);
    let mut opened = |kind, subject, org, to, keep: Option<SessionId>| {
        (until, kept) = (Some(to), keep);
        (kind, subject, org, None)
    };
    let (kind, subject, org, epoch) = match entry.what {
        Revocation::Session(session) => (SESSION, *session.as_bytes(), None, None),
        Revocation::Grant(session, org) => (GRANT, *session.as_bytes(), Some(org), None),
        Revocation::User(user, epoch) => (USER, *user.as_bytes(), None, Some(epoch)),
        Revocation::Member(org, user, epoch) => (MEMBER, *user.as_bytes(), Some(org), Some(epoch)),
        Revocation::Opened(Whose::Everyone, to, keep) => {
            opened(OPENED_EVERYONE, NOBODY, None, to, keep)
        }
        Revocation::Opened(Whose::User(user), to, keep) => {
            opened(OPENED_USER, *user.as_bytes(), None, to, keep)
        }
        Revocation::Opened(Whose::Org(org), to, keep) => {
            opened(OPENED_ORG, NOBODY, Some(org), to, keep)
        }
        Revocation::Role(org, role, epoch) => (ROLE, *role.as_bytes(), Some(org), Some(epoch)),
        Revocation::Service(org, id, epoch) => (SERVICE, *id.as_bytes(), Some(org), Some(epoch)),
        Revocation::ServiceKey(org, key) => (SERVICE_KEY, *key.as_bytes(), Some(org), None),
    };
    write
        .execute(
            &sql::INSERT_REVOCATION,
            &[
                kind.into(),
                Arg::Id(Some(subject)),
                org.into(),
                epoch.into(),
                entry.expires_at.into(),
                until.into(),
                kept.into(),
            ],
        )
        .await?;
    Ok(())
}

pub(in crate::adapters) fn entry<B: Backend>(row: &B::Row) -> Result<RevocationEntry, StoreError> {
    let row = Columns::of(row, "revocations");
    let what = match row.get::<i64>("kind")? {
        SESSION => Revocation::Session(row.id("subject")?),
        GRANT => Revocation::Grant(row.id("subject")?, row.id("org_id")?),
        USER => Revocation::User(row.id("subject")?, row.epoch("epoch")?),
        OPENED_EVERYONE => Revocation::Opened(
            Whose::Everyone,
            row.time("opened_until")?,
            row.optional_id("kept")?,
        ),
        OPENED_USER => Revocation::Opened(
            Whose::User(row.id("subject")?),
            row.time("opened_until")?,
            row.optional_id("kept")?,
        ),
        OPENED_ORG => Revocation::Opened(
            Whose::Org(row.id("org_id")?),
            row.time("opened_until")?,
            row.optional_id("kept")?,
        ),
        MEMBER => Revocation::Member(row.id("org_id")?, row.id("subject")?, row.epoch("epoch")?),
        ROLE => Revocation::Role(row.id("org_id")?, row.id("subject")?, row.epoch("epoch")?),
        SERVICE => Revocation::Service(row.id("org_id")?, row.id("subject")?, row.epoch("epoch")?),
        SERVICE_KEY => Revocation::ServiceKey(row.id("org_id")?, row.id("subject")?),
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
impl<B: Backend> RevocationStore for SqlStore<B> {
    async fn live_revocations(&self, at: Timestamp) -> Result<Vec<RevocationEntry>, StoreError> {
        let rows = self
            .reading(FEED)
            .await?
            .fetch_all(&sql::LIVE_REVOCATIONS, &[at.into()])
            .await?;
        rows.iter().map(entry::<B>).collect()
    }

    async fn sweep_revocations(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut write = self.writing(FEED).await?;
        let swept = write.execute(&sql::SWEEP_REVOCATIONS, &[at.into()]).await?;
        write.commit().await?;
        Ok(swept)
    }
}
