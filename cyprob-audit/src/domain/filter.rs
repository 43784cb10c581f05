//! What of a log is asked for.

use cyprob_core::domain::Timestamp;
use cyprob_core::domain::audit::{Action, AuditEvent, Outcome};

/// Which entries are wanted; what is absent does not narrow.
///
/// All of these stand in clear in a leaf, so no key is needed to select by
/// them and stores keep them in columns: time, action and outcome are public;
/// an actor's id is a pseudonym, random in itself, which only core's tables
/// lead back to a person. Addresses, user agents and names are sealed: nobody
/// can select by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Not before this time.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// By the actor of this id, such as a person's.
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<Action>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
}

impl EntryFilter {
    /// Whether an event is wanted.
    #[must_use]
    pub fn takes(&self, event: &AuditEvent) -> bool {
        self.from.is_none_or(|from| event.at >= from)
            && self.to.is_none_or(|to| event.at < to)
            && self
                .actor
                .as_ref()
                .is_none_or(|actor| event.actor.id().as_ref() == Some(actor))
            && self
                .action
                .as_ref()
                .is_none_or(|action| event.action == *action)
            && self.outcome.is_none_or(|outcome| event.outcome == outcome)
    }
}
