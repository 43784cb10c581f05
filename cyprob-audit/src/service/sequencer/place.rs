//! Events get their indexes.

use std::collections::BTreeMap;

use cyprob_core::domain::audit::AuditEvent;

use super::{Sequencer, SequencerError, State, Step};
use crate::domain::{KeyOwner, Leaf, LogId, SealError, SealedLeaf, SubjectKey};
use crate::ports::{Batch, NewEntry, Placed};

/// Texts of an event that is too large are cut to this many characters.
const CUT: usize = 1024;

impl Sequencer {
    /// Places a batch; the logs that grew are behind with their files.
    pub(super) async fn place(&self, state: &mut State) -> Result<Step, SequencerError> {
        let events = self.store.pending(Self::BATCH).await;
        let events = events.map_err(SequencerError::Store)?;
        let step = Step {
            placed: events.len(),
            more: events.len() == Self::BATCH,
        };
        let mut by_log: BTreeMap<LogId, Vec<AuditEvent>> = BTreeMap::new();
        for event in events {
            by_log.entry(LogId::of(event.org)).or_default().push(event);
        }
        let mut batches = Vec::with_capacity(by_log.len());
        for (log, events) in by_log {
            batches.push(Batch {
                log,
                first: self.store.size(log).await.map_err(SequencerError::Store)?,
                entries: self.sealed(log, events).await?,
            });
        }
        if batches.is_empty() {
            return Ok(step);
        }
        let placed = self.store.place(&batches).await;
        match placed.map_err(SequencerError::Store)? {
            Placed::Done => state.behind.extend(batches.iter().map(|batch| batch.log)),
            Placed::Moved => return Err(SequencerError::NotAlone),
        }
        Ok(step)
    }

    async fn sealed(
        &self,
        log: LogId,
        events: Vec<AuditEvent>,
    ) -> Result<Vec<NewEntry>, SequencerError> {
        let signer = self.signer(log)?;
        let origin = signer.verifier().name();
        let at = self.clock.now();
        let mut keys: BTreeMap<KeyOwner, SubjectKey> = BTreeMap::new();
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            for owner in Leaf::owners(&event) {
                if let std::collections::btree_map::Entry::Vacant(place) = keys.entry(owner) {
                    let key = self.keys.obtain(log, owner, at).await;
                    place.insert(key.map_err(SequencerError::Keys)?);
                }
            }
            let seal = |event: &AuditEvent| Leaf::seal(event, origin, |owner| keys.get(&owner));
            let sealed = match seal(&event) {
                // One event that is too large must not stop all that follow.
                Err(SealError::TooLarge) => seal(&cut(&event)),
                sealed => sealed,
            };
            let SealedLeaf { bytes, aside } = sealed.map_err(SequencerError::Seal)?;
            entries.push(NewEntry {
                event,
                leaf: bytes,
                aside,
            });
        }
        Ok(entries)
    }
}

/// The event with its free texts cut.
fn cut(event: &AuditEvent) -> AuditEvent {
    let short = |text: &mut String| *text = text.chars().take(CUT).collect();
    let mut event = event.clone();
    short(&mut event.resource.id);
    short(&mut event.resource.kind);
    event.reason.iter_mut().for_each(short);
    event.origin.user_agent.iter_mut().for_each(short);
    if let cyprob_core::domain::audit::Actor::System { id } = &mut event.actor {
        short(id);
    }
    event
}
