//! Every circumstance that a policy can tell apart.
//!
//! Conditions are made of thresholds, ranges and tags, so a policy answers alike
//! between two edges. One request from each stretch stands for all of them, and
//! asking the policy about each is exact: the same code answers that decides
//! real requests. An object of several tags is permitted if it would be with one
//! of them alone or with none, so objects of one tag stand for all others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cyprob_core::domain::{Aal, Tag};

use super::hours::Moment;
use super::{Circumstances, Condition, Object};
use crate::domain::Cidr;

/// How strong a sign-in can be; a service account shows none.
const SIGN_INS: [Option<Aal>; 3] = [None, Some(Aal::One), Some(Aal::Two)];
/// The first address after those that are IPv4 written as IPv6 (`::ffff:0:0/96`).
const PAST_MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 1, 0, 0, 0);

/// The edges of some conditions.
struct Edges {
    addresses: BTreeSet<IpAddr>,
    moments: BTreeSet<Moment>,
    tags: BTreeSet<Tag>,
}

impl Edges {
    fn of<'a>(conditions: impl IntoIterator<Item = &'a Condition>) -> Self {
        let mut edges = Self {
            addresses: BTreeSet::from([
                Ipv4Addr::UNSPECIFIED.into(),
                Ipv6Addr::UNSPECIFIED.into(),
                PAST_MAPPED.into(),
            ]),
            moments: BTreeSet::from([Moment::FIRST]),
            tags: BTreeSet::new(),
        };
        for condition in conditions {
            let ranges = condition.addresses.iter();
            let ends = |range: &Cidr| [Some(range.first()), range.next()];
            edges.addresses.extend(ranges.flat_map(ends).flatten());
            let hours = condition.hours.iter();
            edges.moments.extend(hours.flat_map(|hours| hours.edges()));
            edges.tags.extend(condition.tags.iter().cloned());
        }
        edges
    }

    /// No address that is known, and one from each stretch.
    fn addresses(&self) -> impl Iterator<Item = Option<IpAddr>> {
        let known = self.addresses.iter().copied().map(Some);
        std::iter::once(None).chain(known)
    }

    /// No object, and one's own and another's without a tag and with each.
    fn objects(&self) -> impl Iterator<Item = Option<Object>> {
        let marks = self.tags.iter().cloned().map(Some);
        let marks = std::iter::once(None).chain(marks);
        let objects = marks.flat_map(|tag| {
            [false, true].map(|own| {
                let tag = tag.clone();
                Some(Object { own, tag })
            })
        });
        std::iter::once(None).chain(objects)
    }
}

/// Which of the conditions hold, each at its place.
type Holding = Vec<bool>;

/// All circumstances, as far as some conditions can tell them apart.
pub(super) struct Space<'a> {
    conditions: Vec<&'a Condition>,
}

impl<'a> Space<'a> {
    pub(super) fn of(conditions: impl IntoIterator<Item = &'a Condition>) -> Self {
        let mut distinct = Vec::new();
        for condition in conditions {
            if !distinct.contains(&condition) {
                distinct.push(condition);
            }
        }
        Self {
            conditions: distinct,
        }
    }

    /// One request for each set of conditions that can hold while the others do not.
    pub(super) fn circumstances(&self) -> Vec<Circumstances> {
        self.within(&Condition::default())
    }

    /// The same, of requests for which a condition holds.
    ///
    /// Each part of the conditions looks at something of its own, so sets that one
    /// part cannot tell apart are put together before the next is looked at: there
    /// are never more than the sets of conditions.
    pub(super) fn within(&self, given: &Condition) -> Vec<Circumstances> {
        let edges = Edges::of(self.conditions.iter().copied().chain([given]));
        let first = Circumstances {
            aal: None,
            address: None,
            at: Moment::FIRST.timestamp(),
            object: None,
        };
        let mut cases = BTreeMap::from([(vec![true; self.conditions.len()], first)]);
        let sign_ins = SIGN_INS.into_iter();
        let admits = |condition: &Condition, aal: &_| condition.admits_sign_in(*aal);
        cases = self.split(given, cases, sign_ins, admits, |now, aal| now.aal = aal);
        let addresses = edges.addresses();
        let admits = |condition: &Condition, address: &_| condition.admits_address(*address);
        cases = self.split(given, cases, addresses, admits, |now, at| now.address = at);
        let moments = edges.moments.iter().map(|moment| moment.timestamp());
        let admits = |condition: &Condition, at: &_| condition.admits_time(*at);
        cases = self.split(given, cases, moments, admits, |now, at| now.at = at);
        let objects = edges.objects();
        let admits = |condition: &Condition, it: &Option<_>| condition.admits_object(it.as_ref());
        cases = self.split(given, cases, objects, admits, |now, it| now.object = it);
        cases.into_values().collect()
    }

    /// Tells cases apart by what the conditions say of one more part of a request.
    fn split<T: Clone>(
        &self,
        given: &Condition,
        cases: BTreeMap<Holding, Circumstances>,
        values: impl Iterator<Item = T>,
        admits: impl Fn(&Condition, &T) -> bool,
        put: impl Fn(&mut Circumstances, T),
    ) -> BTreeMap<Holding, Circumstances> {
        let mut kinds: BTreeMap<Holding, T> = BTreeMap::new();
        for value in values.filter(|value| admits(given, value)) {
            let conditions = self.conditions.iter();
            let admitted = conditions.map(|condition| admits(condition, &value));
            kinds.entry(admitted.collect()).or_insert(value);
        }
        let mut told = BTreeMap::new();
        for (holding, now) in cases {
            for (admitted, value) in &kinds {
                let both = holding.iter().zip(admitted).map(|(a, b)| *a && *b);
                told.entry(both.collect()).or_insert_with(|| {
                    let mut now = now.clone();
                    put(&mut now, value.clone());
                    now
                });
            }
        }
        told
    }
}

#[cfg(test)]
mod tests;
