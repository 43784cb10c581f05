//! A bounded queue that takes turns among those who fill it.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// The network that an address counts for: /24 for IPv4, /56 for IPv6.
pub(super) fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) & !((1 << 72) - 1)).to_be_bytes()),
    }
}

/// What became of a push.
pub(super) enum Pushed<T> {
    /// It waits.
    Waiting,
    /// It waits, and this one, of the network that had most waiting, no longer does.
    Displaced(T),
    /// There is no place.
    Full(T),
}

/// Jobs by network; the networks take turns.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    capacity: usize,
    len: usize,
    turns: VecDeque<Option<IpAddr>>,
    waiting: BTreeMap<Option<IpAddr>, VecDeque<T>>,
}

impl<T> FairQueue<T> {
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            len: 0,
            turns: VecDeque::new(),
            waiting: BTreeMap::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, from: Option<IpAddr>, job: T) -> Pushed<T> {
        let mut displaced = None;
        if self.len >= self.capacity {
            let mine = self.waiting.get(&from).map_or(0, VecDeque::len);
            let longest = self.waiting.iter().max_by_key(|(_, jobs)| jobs.len());
            let Some(other) = longest
                .filter(|(_, jobs)| jobs.len() > mine + 1)
                .map(|(key, _)| *key)
            else {
                return Pushed::Full(job);
            };
            displaced = self.take(other, VecDeque::pop_back);
        }
        let jobs = self.waiting.entry(from).or_default();
        if jobs.is_empty() {
            self.turns.push_back(from);
        }
        jobs.push_back(job);
        self.len += 1;
        displaced.map_or(Pushed::Waiting, Pushed::Displaced)
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let turn = self.turns.pop_front()?;
        let job = self.take(turn, VecDeque::pop_front)?;
        if self.waiting.contains_key(&turn) {
            self.turns.push_back(turn);
        }
        Some(job)
    }

    fn take(
        &mut self,
        from: Option<IpAddr>,
        end: impl FnOnce(&mut VecDeque<T>) -> Option<T>,
    ) -> Option<T> {
        let jobs = self.waiting.get_mut(&from)?;
        let job = end(jobs)?;
        self.len -= 1;
        if jobs.is_empty() {
            self.waiting.remove(&from);
            self.turns.retain(|turn| *turn != from);
        }
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, last, 0]))
    }

    #[test]
    fn networks_take_turns() {
        let mut queue = FairQueue::new(10);
        for n in 0..4 {
            let _ = queue.push(net(1), n);
        }
        let _ = queue.push(net(2), 100);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [0, 100, 1, 2, 3]);
        assert_eq!(queue.len(), 0);
        assert!(queue.turns.is_empty() && queue.waiting.is_empty());
    }

    #[test]
    fn a_flood_gives_way_to_others_and_to_no_one_of_its_own() {
        let mut queue = FairQueue::new(4);
        for n in 0..4 {
            assert!(matches!(queue.push(net(1), n), Pushed::Waiting));
        }
        assert!(matches!(queue.push(net(1), 4), Pushed::Full(4)));
        assert!(matches!(queue.push(net(2), 10), Pushed::Displaced(3)));
        assert!(matches!(queue.push(net(2), 11), Pushed::Displaced(2)));
        assert!(matches!(queue.push(net(2), 12), Pushed::Full(12)));
        assert_eq!(queue.len(), 4);
    }
}
