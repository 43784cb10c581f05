//! Finishing the changes that were left half done.

use std::sync::{Arc, PoisonError};

use cyprob_core::domain::{EventId, OrgId};
use tokio::task::JoinSet;

use super::OrgSecretError;
use super::changes::Shared;
use super::note::Note;
use super::places::{ABANDONED, Place, patient};
use crate::domain::SecretVersion;
use crate::ports::SecretError;

/// How many organizations are looked at at once.
const AT_ONCE: usize = 8;

fn cut_off() -> OrgSecretError {
    SecretError::unavailable("a look at changes was cut off").into()
}

impl Shared {
    /// Finishes what is open of every organization, in a task of its own; nothing while another one is at it.
    pub(super) async fn settle(self: &Arc<Self>) -> Result<usize, OrgSecretError> {
        let shared = Arc::clone(self);
        let settling = tokio::spawn(async move {
            match shared.settling.try_lock() {
                Ok(_alone) => shared.settle_all().await,
                Err(_) => Ok(0),
            }
        });
        settling.await.unwrap_or_else(|_| Err(cut_off()))
    }

    /// Several at once.
    async fn settle_all(self: &Arc<Self>) -> Result<usize, OrgSecretError> {
        let mut known = self.places.known().await?;
        known.retain(|(org, version)| !self.is_settled(*org, *version));
        let (mut first, mut count) = (None, 0);
        let mut settling = JoinSet::new();
        loop {
            while settling.len() < AT_ONCE
                && let Some((org, _)) = known.pop()
            {
                let shared = Arc::clone(self);
                settling.spawn(async move { shared.settle_one(org).await });
            }
            match settling.join_next().await {
                None => return first.map_or(Ok(count), Err),
                Some(Ok(Ok(finished))) => count += usize::from(finished),
                // Somebody else is at it, or it is too early to judge.
                Some(Ok(Err(OrgSecretError::Busy))) => {}
                Some(Ok(Err(error))) => first = first.or(Some(error)),
                Some(Err(_)) => first = first.or_else(|| Some(cut_off())),
            }
        }
    }

    fn is_settled(&self, org: OrgId, version: SecretVersion) -> bool {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.get(&org) == Some(&version)
    }

    async fn settle_one(&self, org: OrgId) -> Result<bool, OrgSecretError> {
        let queued = self.places.queue(org)?;
        let _turn = queued.turn().await?;
        let place = self.places.look(org).await?;
        if place.open.is_some() {
            return self.finish(org, place).await;
        }
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.extend(place.version().map(|version| (org, version)));
        Ok(false)
    }

    /// Finishes the change of a note: records it if it was made.
    ///
    /// INVARIANT: it is this process's turn, so no change of the organization is under way in it
    pub(super) async fn finish(&self, org: OrgId, place: Place) -> Result<bool, OrgSecretError> {
        let process = self.places.process();
        let note = place.open.as_ref();
        let new = note.filter(|note| note.is_new_to(process)).map(Note::id);
        let inherited = self.places.inherit(place).await;
        if let Some(change) = new
            && !matches!(inherited, Err(OrgSecretError::Busy))
        {
            // Whoever began it may have sent it late; who takes it over next finds that time passed.
            // Also where nobody said that it was taken over: then it may be all the same.
            self.doubt(org, change);
        }
        let Some((place, note)) = inherited? else {
            return Ok(false);
        };
        let path = note.path(org)?;
        let made = note.made(self.newest(&path).await?);
        if made.is_none() && self.may_yet_be_made(note.id()) {
            return Err(OrgSecretError::Busy);
        }
        self.forget(&path);
        if made.is_some() && note.is_of_deletion() {
            // Whatever a deletion left that was cut off in the store.
            patient(
                self.parts
                    .store
                    .delete(&path.stored_name(&self.parts.base)?),
            )
            .await?;
        }
        if let Some(event) = made
            && !self.is_recorded(note.id())
        {
            let event = note.again(event, self.parts.entropy.as_ref());
            self.tell(note.id(), event).await?;
        }
        self.close(&place, note.id(), self.parts.clock.now()).await;
        Ok(true)
    }

    fn is_recorded(&self, change: EventId) -> bool {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.contains(&change)
    }

    /// Whether a change that nobody waits for may still reach the store.
    fn may_yet_be_made(&self, change: EventId) -> bool {
        let doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        let since = doubted.get(&change);
        since.is_some_and(|(_, since)| self.parts.clock.now().since(*since) < ABANDONED)
    }
}
