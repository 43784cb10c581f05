//! Notices on their way to people.

use async_trait::async_trait;

use super::tx::Write;
use super::{Backend, Columns, Scope, SqlStore, sql};
use crate::domain::{EventId, Notice, NoticeKind, Timestamp};
use crate::ports::store::{NoticeStore, StoreError};

pub(super) async fn insert<B: Backend>(
    write: &mut Write<B>,
    notice: &Notice,
) -> Result<(), StoreError> {
    write
        .execute(
            &sql::INSERT_NOTICE,
            &[
                notice.id.into(),
                notice.user.into(),
                notice.kind.as_str().into(),
                notice.kind.change().into(),
                notice.at.into(),
                notice.due_at.into(),
            ],
        )
        .await?;
    Ok(())
}

fn notice<B: Backend>(row: &B::Row) -> Result<Notice, StoreError> {
    let row = Columns::of(row, "notices");
    let change = row.optional_id("email_change")?;
    Ok(Notice {
        id: row.id("id")?,
        user: row.id("user_id")?,
        kind: row.read("kind", |name: &str| NoticeKind::read(name, change))?,
        at: row.time("at")?,
        due_at: row.time("due_at")?,
        attempts: row.u32("attempts")?,
    })
}

#[async_trait]
impl<B: Backend> NoticeStore for SqlStore<B> {
    async fn due_notices(&self, at: Timestamp, limit: u8) -> Result<Vec<Notice>, StoreError> {
        let args = [at.into(), limit.into()];
        let rows = self.fetch_all(&sql::DUE_NOTICES, &args).await?;
        rows.iter().map(notice::<B>).collect()
    }

    async fn claim_notice(&self, notice: &Notice, next: Timestamp) -> Result<bool, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let args = [notice.id.into(), notice.attempts.into(), next.into()];
        let claimed = write.execute(&sql::CLAIM_NOTICE, &args).await?;
        write.commit().await?;
        Ok(claimed == 1)
    }

    async fn drop_notice(&self, id: EventId) -> Result<(), StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        write.execute(&sql::DROP_NOTICE, &[id.into()]).await?;
        write.commit().await
    }
}
