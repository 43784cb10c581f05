//! Which keys of a ring there are, which one signs and when, and until when each verifies.
//!
//! A plan is changed by an operator and read by every node. What it says of a
//! time follows from the plan and that time alone, so nodes that read the same
//! plan agree, as far as their clocks do.

use std::time::Duration;

use cyprob_core::domain::Timestamp;

use super::{KeyRing, KeyRingError, KeyStatus, RingKey, RootKeyId};

/// How long a new key is published before it signs.
///
/// It covers how old a node's plan may be, how far two clocks may be apart, and
/// how often whoever verifies elsewhere asks for the published keys.
pub const KEY_LEAD: Duration = Duration::from_secs(5 * 60);

/// How long a key verifies after the next one signs: the longest life of a token, and a minute for clocks.
pub const KEY_TERM: Duration = Duration::from_secs(16 * 60);

/// How long a key that verifies nothing any more stays in the plan: for clocks that are behind.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The most keys in a plan, so that it stays small enough to be kept.
///
/// Rotations alone leave no more than five: a key lives for its lead and its term once another signs.
const MAX_KEYS: usize = 64;

/// A key that was just made: its id and its public half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Greater than that of any earlier key of the ring.
    pub id: RootKeyId,
    /// The 32 bytes of RFC 8032.
    pub public: [u8; 32],
}

/// A key in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedKey {
    /// By which tokens name it.
    pub id: RootKeyId,
    /// The 32 bytes of RFC 8032.
    pub public: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs, until the next one does.
    pub signs_from: Timestamp,
    /// Verifies before this time; known once a next key is.
    pub not_after: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl PlannedKey {
    fn new(key: NewKey, created_at: Timestamp, signs_from: Timestamp) -> Self {
        Self {
            id: key.id,
            public: key.public,
            created_at,
            signs_from,
            not_after: None,
            revoked_at: None,
        }
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_retired(&self, at: Timestamp) -> bool {
        self.not_after.is_some_and(|end| at >= end)
    }
}

/// Why a plan is not changed, or is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A key is on its way already.
    #[error("key {id} is published and signs from {signs_from}: wait, or revoke it")]
    Pending {
        /// The key.
        id: RootKeyId,
        /// From when on it signs.
        signs_from: Timestamp,
    },
    /// The plan is full of keys that were revoked within the last minutes.
    #[error("the ring has as many keys as it may: wait until those that were revoked are over")]
    Full,
    /// There is no such key.
    #[error("the ring has no key {0}")]
    Unknown(RootKeyId),
    /// A new key is needed, because none that is left may sign.
    #[error("no other key may sign")]
    NeedsKey,
    /// The new key's id is not greater than all before.
    #[error("the id {0} was given out before")]
    Reused(RootKeyId),
    /// The parts do not fit together.
    #[error("the parts of the plan do not fit together")]
    Broken,
}

/// The keys of one ring with their terms; there is always one that signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlan {
    keys: Vec<PlannedKey>,
    signing: RootKeyId,
    next: Option<RootKeyId>,
    last: RootKeyId,
}

impl KeyPlan {
    /// The plan of a ring's first key, which signs at once and at any time.
    #[must_use]
    pub fn first(key: NewKey, created_at: Timestamp) -> Self {
        let id = key.id;
        Self {
            keys: vec![PlannedKey::new(key, created_at, created_at)],
            signing: id,
            next: None,
            last: id,
        }
    }

    /// Puts a stored plan together again: its keys by id, who signs, who is next, the last id given out.
    ///
    /// # Errors
    ///
    /// [`PlanError::Broken`] if the ids do not go up, or one that signs is
    /// missing, revoked or on its way out.
    pub fn from_parts(
        keys: Vec<PlannedKey>,
        signing: RootKeyId,
        next: Option<RootKeyId>,
        last: RootKeyId,
    ) -> Result<Self, PlanError> {
        let plan = Self {
            keys,
            signing,
            next,
            last,
        };
        let ids = plan.keys.iter().map(|key| key.id);
        let ascending = ids.clone().zip(ids.skip(1)).all(|(one, two)| one < two);
        let whole = |id| plan.key(id).is_some_and(|key| key.revoked_at.is_none());
        let ends = |id| plan.key(id).is_some_and(|key| key.not_after.is_some());
        let held = plan.keys.last().is_some_and(|key| key.id <= last)
            && ascending
            && whole(signing)
            && ends(signing) == next.is_some()
            && next.is_none_or(|next| next != signing && whole(next) && !ends(next));
        if held {
            Ok(plan)
        } else {
            Err(PlanError::Broken)
        }
    }

    /// The keys by id, also those that verify nothing any more.
    #[must_use]
    pub fn keys(&self) -> &[PlannedKey] {
        &self.keys
    }

    /// The key of this id.
    #[must_use]
    pub fn key(&self, id: RootKeyId) -> Option<&PlannedKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The key that signs until the next one does.
    #[must_use]
    pub const fn signing(&self) -> RootKeyId {
        self.signing
    }

    /// The key that is published and signs from its time on.
    #[must_use]
    pub const fn next(&self) -> Option<RootKeyId> {
        self.next
    }

    /// The greatest id that was ever given out.
    #[must_use]
    pub const fn last(&self) -> RootKeyId {
        self.last
    }

    /// The key that is on its way at this time: published, and not signing yet.
    #[must_use]
    pub fn pending(&self, at: Timestamp) -> Option<&PlannedKey> {
        let next = self.key(self.next?)?;
        (at < next.signs_from).then_some(next)
    }

    /// The key that signs at this time.
    #[must_use]
    pub fn signer(&self, at: Timestamp) -> RootKeyId {
        match self.next {
            Some(next) if self.pending(at).is_none() => next,
            _ => self.signing,
        }
    }

    /// What a key may be used for at this time.
    #[must_use]
    pub fn status(&self, key: &PlannedKey, at: Timestamp) -> KeyStatus {
        if key.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if key.id == self.signer(at) {
            KeyStatus::Active
        } else {
            KeyStatus::VerifyOnly
        }
    }

    /// The ring as it is published at this time; a key whose time is over is not in it.
    ///
    /// # Errors
    ///
    /// [`KeyRingError`]; of a plan that holds, none.
    pub fn ring(&self, at: Timestamp) -> Result<KeyRing, KeyRingError> {
        let keys = self.keys.iter().filter(|key| !key.is_retired(at));
        KeyRing::new(keys.map(|key| RingKey {
            id: key.id,
            public: key.public,
            // A node whose clock is behind takes it as well.
            not_before: Timestamp::UNIX_EPOCH,
            not_after: key.not_after,
            status: self.status(key, at),
        }))
    }

    /// Whether a new key may be published at this time.
    ///
    /// # Errors
    ///
    /// [`PlanError::Pending`] while another is on its way, [`PlanError::Full`].
    pub fn may_rotate(&self, at: Timestamp) -> Result<(), PlanError> {
        if let Some(pending) = self.pending(at) {
            return Err(PlanError::Pending {
                id: pending.id,
                signs_from: pending.signs_from,
            });
        }
        if self.settled(at).keys.len() >= MAX_KEYS {
            return Err(PlanError::Full);
        }
        Ok(())
    }

    /// Publishes a new key, which signs [`KEY_LEAD`] later.
    ///
    /// The one that signs now verifies for [`KEY_TERM`] longer than that.
    ///
    /// # Errors
    ///
    /// As [`may_rotate`](Self::may_rotate), and [`PlanError::Reused`].
    pub fn rotate(&self, key: NewKey, at: Timestamp) -> Result<Self, PlanError> {
        self.may_rotate(at)?;
        let mut plan = self.settled(at);
        let signs_from = at.after(KEY_LEAD);
        plan.end(plan.signing, Some(signs_from.after(KEY_TERM)));
        plan.next = Some(plan.add(key, at, signs_from)?);
        Ok(plan)
    }

    /// Revokes a key, which verifies nothing any more for whoever has read the plan.
    ///
    /// If it is the one that signs, the newest of the others signs at once,
    /// never one that was revoked or whose time is over; if there is none, the
    /// new key does. A key that was revoked before stays so, and nothing changes.
    /// Where there is no room for the new key, those that were revoked longest
    /// ago leave the plan; they verify nothing either way.
    ///
    /// # Errors
    ///
    /// [`PlanError::Unknown`]; [`PlanError::NeedsKey`] if none of the others may
    /// sign and no new key is given.
    pub fn revoke(
        &self,
        id: RootKeyId,
        new: Option<NewKey>,
        at: Timestamp,
    ) -> Result<Self, PlanError> {
        let mut plan = self.settled(at);
        let key = plan.keys.iter_mut().find(|key| key.id == id);
        let key = key.ok_or(PlanError::Unknown(id))?;
        if key.revoked_at.is_some() {
            return Ok(plan);
        }
        key.revoked_at = Some(at);
        // It is published as revoked for as long as a token of it could live.
        let end = at.after(KEY_TERM);
        key.not_after = Some(key.not_after.map_or(end, |known| known.min(end)));
        if plan.next == Some(id) {
            plan.next = None;
            plan.end(plan.signing, None);
        } else if plan.signing == id {
            // INVARIANT: a key whose time is over is not brought back
            let may = |key: &&PlannedKey| key.revoked_at.is_none() && !key.is_retired(at);
            let heir = plan.keys.iter().rev().find(may).map(|key| key.id);
            let heir = match (heir, new) {
                (Some(heir), _) => heir,
                (None, Some(new)) => {
                    plan.make_room(id);
                    plan.add(new, at, at)?
                }
                (None, None) => return Err(PlanError::NeedsKey),
            };
            for key in plan.keys.iter_mut().filter(|key| key.id == heir) {
                key.signs_from = at;
                key.not_after = None;
            }
            plan.signing = heir;
            plan.next = None;
        }
        Ok(plan)
    }

    /// The same plan, with a next key whose time has come as the one that signs.
    fn settled(&self, at: Timestamp) -> Self {
        let mut plan = self.clone();
        plan.signing = self.signer(at);
        if plan.next == Some(plan.signing) {
            plan.next = None;
        }
        let (signing, next) = (plan.signing, plan.next);
        plan.keys.retain(|key| {
            let forgotten = key.not_after.is_some_and(|end| at.since(end) > REMEMBERED);
            !forgotten || key.id == signing || Some(key.id) == next
        });
        plan
    }

    /// Forgets the oldest of the revoked keys until another fits, but not this one.
    fn make_room(&mut self, spared: RootKeyId) {
        let leaves = |key: &PlannedKey| key.revoked_at.is_some() && key.id != spared;
        while self.keys.len() >= MAX_KEYS {
            let Some(oldest) = self.keys.iter().position(leaves) else {
                return;
            };
            self.keys.remove(oldest);
        }
    }

    fn end(&mut self, id: RootKeyId, end: Option<Timestamp>) {
        for key in self.keys.iter_mut().filter(|key| key.id == id) {
            key.not_after = end;
        }
    }

    fn add(&mut self, key: NewKey, at: Timestamp, from: Timestamp) -> Result<RootKeyId, PlanError> {
        let id = key.id;
        if id <= self.last {
            return Err(PlanError::Reused(id));
        }
        self.keys.push(PlannedKey::new(key, at, from));
        self.last = id;
        Ok(id)
    }
}

#[cfg(test)]
mod tests;
