//! When a doubt about credentials is acted upon.

use std::time::Duration;

use tokio::time::Instant;

/// The pause after the first doubt that was acted upon; after the next it is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause, and how long after it nobody may have doubted for the next to be the first.
const LONGEST: Duration = Duration::from_secs(60);

/// The turns of those who doubt: a server that refuses whatever is lent must not become a storm at
/// the source.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// Whether there is a doubt that waits for its turn or for an answer.
    heard: bool,
    answered: Option<Answered>,
}

#[derive(Clone, Copy, Debug)]
struct Answered {
    pause: Duration,
    next: Instant,
}

impl Doubts {
    pub(super) const fn is_heard(&self) -> bool {
        self.heard
    }

    /// There is a doubt.
    pub(super) fn hear(&mut self) {
        self.heard = true;
    }

    /// Until when a doubt waits for its turn, if there is one that does.
    pub(super) fn waits_until(&self) -> Option<Instant> {
        let turn = self.answered?.next;
        (self.heard && Instant::now() < turn).then_some(turn)
    }

    /// Whether there is a doubt, and it is its turn.
    pub(super) fn is_due(&self) -> bool {
        self.heard && self.waits_until().is_none()
    }

    /// What was heard is about credentials that are replaced, or was answered otherwise.
    pub(super) fn forget(&mut self) {
        self.heard = false;
    }

    /// The source gave an answer to one whose turn it was.
    pub(super) fn answered(&mut self) {
        let now = Instant::now();
        let pause = match self.answered {
            Some(before) if now < before.next + LONGEST => (before.pause * 2).min(LONGEST),
            _ => FIRST,
        };
        self.answered = Some(Answered {
            pause,
            next: now + pause,
        });
        self.heard = false;
    }
}
