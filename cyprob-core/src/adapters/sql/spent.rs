//! Spent uses of tokens.

use async_trait::async_trait;

use super::{Arg, Backend, Scope, SqlStore, sql};
use crate::domain::{Timestamp, UseId};
use crate::ports::store::{SpendOutcome, SpentStore, StoreError};

#[async_trait]
impl<B: Backend> SpentStore for SqlStore<B> {
    async fn spend(
        &self,
        uses: &[UseId],
        until: Timestamp,
        at: Timestamp,
    ) -> Result<SpendOutcome, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        for one in uses {
            let row = [Arg::bytes(one.as_bytes()), until.into(), at.into()];
            // A racer for the same use waits here for the commit of who inserts it. A use that
            // is known to be spent is not waited for, so no two wait for each other.
            if write.execute(&sql::SPEND_USE, &row).await? > 0 {
                write.commit().await?;
                return Ok(SpendOutcome::Taken(*one));
            }
        }
        Ok(SpendOutcome::AllSpent)
    }

    async fn sweep_spent(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let swept = write.execute(&sql::SWEEP_SPENT_USES, &[at.into()]).await?;
        write.commit().await?;
        Ok(swept)
    }
}
