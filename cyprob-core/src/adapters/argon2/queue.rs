//! Who waits, and who is next.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// Whom fairness treats as one: an IPv4 /24, an IPv6 /56, a person, or all who came without an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Prefix {
    V4([u8; 3]),
    V6([u8; 7]),
    Person([u8; 16]),
    None,
}

impl Prefix {
    pub(super) fn of(from: Option<IpAddr>) -> Self {
        match from.map(|address| address.to_canonical()) {
            None => Self::None,
            Some(IpAddr::V4(address)) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, e, f, g, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g])
            }
        }
    }
}

/// There is no place; the queue is as it was.
#[derive(Debug)]
pub(super) struct Full;

/// Waiting jobs, one line per prefix, served in turn.
#[derive(Debug)]
pub(super) struct FairQueue<J> {
    lines: HashMap<Prefix, VecDeque<J>>,
    turns: VecDeque<Prefix>,
    len: usize,
    bound: usize,
    line_bound: usize,
}

impl<J> FairQueue<J> {
    pub(super) fn new(bound: usize, line_bound: usize) -> Self {
        Self {
            lines: HashMap::new(),
            turns: VecDeque::new(),
            len: 0,
            bound,
            line_bound,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &J> {
        self.lines.values().flatten()
    }

    /// Queues a job. When the queue is full, the last of the longest line gives way
    /// to a job of a line that is shorter by two or more; it is returned.
    ///
    /// `gone` says whose caller has left; when there is no place, those are dropped first.
    pub(super) fn push(
        &mut self,
        prefix: Prefix,
        job: J,
        gone: impl Fn(&J) -> bool,
    ) -> Result<Option<J>, Full> {
        if self.is_full(prefix) {
            self.retain(|job| !gone(job));
        }
        let mine = self.line(prefix);
        if mine >= self.line_bound {
            return Err(Full);
        }
        let evicted = if self.len < self.bound {
            None
        } else {
            Some(self.evict(mine.saturating_add(2)).ok_or(Full)?)
        };
        let line = self.lines.entry(prefix).or_default();
        if line.is_empty() {
            self.turns.push_back(prefix);
        }
        line.push_back(job);
        self.len = self.len.saturating_add(1);
        Ok(evicted)
    }

    /// The next job: the first of the line whose turn it is.
    pub(super) fn pop(&mut self) -> Option<J> {
        let prefix = self.turns.pop_front()?;
        let line = self.lines.get_mut(&prefix)?;
        let job = line.pop_front()?;
        if line.is_empty() {
            self.lines.remove(&prefix);
        } else {
            self.turns.push_back(prefix);
        }
        self.len = self.len.saturating_sub(1);
        Some(job)
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.turns.clear();
        self.len = 0;
    }

    fn line(&self, prefix: Prefix) -> usize {
        self.lines.get(&prefix).map_or(0, VecDeque::len)
    }

    fn is_full(&self, prefix: Prefix) -> bool {
        self.len >= self.bound || self.line(prefix) >= self.line_bound
    }

    fn retain(&mut self, keep: impl Fn(&J) -> bool) {
        for line in self.lines.values_mut() {
            line.retain(&keep);
        }
        self.lines.retain(|_, line| !line.is_empty());
        let lines = &self.lines;
        self.turns.retain(|prefix| lines.contains_key(prefix));
        self.len = self.lines.values().map(VecDeque::len).sum();
    }

    /// Takes the last job of the longest line, if that has at least `from` jobs (two or more).
    fn evict(&mut self, from: usize) -> Option<J> {
        let longest = self
            .lines
            .values_mut()
            .filter(|line| line.len() >= from)
            .max_by_key(|line| line.len())?;
        let job = longest.pop_back()?;
        self.len = self.len.saturating_sub(1);
        Some(job)
    }
}

/// Two queues that take turns: of those who are known, and of strangers.
///
/// Each has its own bound, so neither can fill the other's places.
#[derive(Debug)]
pub(super) struct Lanes<J> {
    known: FairQueue<J>,
    strangers: FairQueue<J>,
    strangers_turn: bool,
}

impl<J> Lanes<J> {
    pub(super) fn new(bound: usize, line_bound: usize) -> Self {
        Self {
            known: FairQueue::new(bound, line_bound),
            strangers: FairQueue::new(bound, line_bound),
            strangers_turn: false,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &J> {
        self.known.iter().chain(self.strangers.iter())
    }

    pub(super) fn push(
        &mut self,
        prefix: Prefix,
        job: J,
        gone: impl Fn(&J) -> bool,
    ) -> Result<Option<J>, Full> {
        match prefix {
            Prefix::Person(_) => self.known.push(prefix, job, gone),
            _ => self.strangers.push(prefix, job, gone),
        }
    }

    /// The next job, and whether it is a stranger's; one of those only if they may have a turn.
    pub(super) fn pop(&mut self, strangers_may: bool) -> Option<(J, bool)> {
        if !strangers_may {
            return self.known.pop().map(|job| (job, false));
        }
        self.strangers_turn = !self.strangers_turn;
        let known = |this: &mut Self| this.known.pop().map(|job| (job, false));
        let stranger = |this: &mut Self| this.strangers.pop().map(|job| (job, true));
        if self.strangers_turn {
            known(self).or_else(|| stranger(self))
        } else {
            stranger(self).or_else(|| known(self))
        }
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.strangers.clear();
    }
}
