//! Taking uses of tokens that their holders narrowed to a number of them.

use cyprob_core::domain::{UseId, UsedToken};
use cyprob_core::ports::store::{SpendOutcome, StoreError};

use super::access::AccessControl;
use super::tokens::CLOCK_LEEWAY;
use crate::domain::{Decision, Demand, Principal, Rule, Taken, decide};

/// In how many steps spent uses are dropped at most, before other work has its turn.
const MOST_STEPS: u32 = 100;

/// No use of the token could be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UseError {
    /// Every use is spent, or so many of the token that no other is given.
    #[error("every use of the token is spent")]
    Spent,
    /// The store of spent uses did not answer; a use may have been taken.
    #[error("the store does not say whether a use is left")]
    Store(#[source] StoreError),
}

impl AccessControl {
    /// Takes a use of the caller's token, if the decision asks for that and for nothing else.
    ///
    /// So a request that is refused for another reason spends nothing. Put what
    /// it gives into the demand and [admit](Self::admit_org) the caller with
    /// that. It is none for a token that nobody narrowed to a number of uses,
    /// and where nothing remembers spent uses: such a token is refused there.
    ///
    /// The store keeps the use until the token has ended on every node, whose
    /// clocks may be a minute apart, and for 15 minutes more. Of one token, with
    /// all that were narrowed from it, it keeps
    /// [so many](cyprob_core::ports::store::MOST_SPENT_USES); beyond them a use
    /// is as good as spent.
    ///
    /// # Errors
    ///
    /// [`UseError`]; nothing is permitted then.
    pub async fn take_use(
        &self,
        principal: &Principal,
        demand: &Demand<'_>,
    ) -> Result<Option<Taken>, UseError> {
        let (Some(words), Some(store)) = (principal.narrowings().uses(), &self.parts.spent) else {
            return Ok(None);
        };
        if decide(principal, demand) != Decision::deny(Rule::UseNotTaken) {
            return Ok(None);
        }
        let claims = principal.claims();
        let token = claims.id();
        let uses: Vec<UseId> = words.iter().map(|word| UseId::of(token, word)).collect();
        let until = claims.expires_at().after(CLOCK_LEEWAY);
        let outcome = store.spend(UsedToken::of(token), &uses, until).await;
        let SpendOutcome::Taken(one) = outcome.map_err(UseError::Store)? else {
            return Err(UseError::Spent);
        };
        // INVARIANT: a row goes only after the floor of the revocations rose to its `until`,
        // which is past the token's end. So if this use was taken before, and the row dropped
        // since the token was judged, the floor says now that the token is dead.
        if self.parts.revocations.is_revoked(claims) {
            return Err(UseError::Spent);
        }
        let mut all = uses.iter().zip(words);
        let word = all.find_map(|(id, word)| (*id == one).then_some(word));
        // A store that gives what it was not asked for gave nothing.
        Ok(Some(Taken::new(token, word.ok_or(UseError::Spent)?)))
    }

    /// Drops the spent uses of tokens that ended 15 minutes ago; returns how many.
    ///
    /// Such tokens are refused in this process from then on, whatever the clock
    /// says: one that was set forward and back again revives no use.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the store; what it dropped before is gone.
    pub async fn sweep_uses(&self) -> Result<u64, StoreError> {
        let Some(store) = &self.parts.spent else {
            return Ok(0);
        };
        // INVARIANT: this process refuses whatever token ended before its floor, whatever the
        // clock says later, and a use ends with its token or after it. So what is dropped here
        // revives nothing here, however far the clock was set. The floor is no other node's, nor
        // this one's after a restart; there the distance counts: a use is dropped 16 minutes
        // after its token ended by this clock, so none is of a token that lives by theirs unless
        // this clock is 16 minutes ahead of it. The stores drop by this alone, and never by the
        // time of a request.
        let floor = self.parts.revocations.raise_floor();
        let mut all = 0_u64;
        // In steps, each of which holds the store for a moment only.
        for _ in 0..MOST_STEPS {
            match store.sweep_spent(floor).await? {
                0 => break,
                some => all = all.saturating_add(some),
            }
        }
        Ok(all)
    }
}
