//! Spent uses of tokens.

use async_trait::async_trait;

use super::{Arg, Backend, Columns, Scope, SqlStore, sql};
use crate::domain::{Timestamp, UseId, UsedToken};
use crate::ports::store::{MOST_SPENT_USES, SpendOutcome, SpentStore, StoreError};

#[async_trait]
impl<B: Backend> SpentStore for SqlStore<B> {
    async fn spend(
        &self,
        token: UsedToken,
        uses: &[UseId],
        until: Timestamp,
    ) -> Result<SpendOutcome, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let of = [Arg::bytes(token.as_bytes())];
        // Racers for one token come one after another, and each sees what the one before it
        // committed; it is the only lock, so no two wait for each other.
        write.lock(&sql::LOCK_USES, &of).await?;
        let rows = write.fetch_all(&sql::SPENT_USES, &of).await?;
        let spent = rows
            .iter()
            .map(|row| Columns::of(row, "spent_uses").get::<&[u8]>("id"))
            .collect::<Result<Vec<_>, _>>()?;
        // INVARIANT: a use is spent while its row is there. No request's time is asked, so one
        // whose clock was set, whichever way, revives nothing: rows go by a sweep alone.
        let left = |one: &&UseId| !spent.contains(&one.as_bytes().as_slice());
        let Some(one) = uses.iter().find(left) else {
            return Ok(SpendOutcome::AllSpent);
        };
        if spent.len() >= MOST_SPENT_USES {
            return Ok(SpendOutcome::TooMany);
        }
        let [of] = of;
        let row = [of, Arg::bytes(one.as_bytes()), until.into()];
        write.execute(&sql::SPEND_USE, &row).await?;
        write.commit().await?;
        Ok(SpendOutcome::Taken(*one))
    }

    async fn sweep_spent(&self, up_to: Timestamp) -> Result<u64, StoreError> {
        let mut write = self.writing(Scope::none()).await?;
        let swept = write
            .execute(&sql::SWEEP_SPENT_USES, &[up_to.into()])
            .await?;
        write.commit().await?;
        Ok(swept)
    }
}
