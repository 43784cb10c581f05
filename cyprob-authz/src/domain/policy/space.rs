//! Every circumstance that a policy can tell apart.
//!
//! Conditions are made of thresholds and ranges, so a policy answers alike
//! between two edges. One request from each stretch stands for all of them, and
//! asking the policy about each is exact: the same code answers that decides
//! real requests.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cyprob_core::domain::Aal;

use super::hours::Moment;
use super::{Circumstances, Condition};
use crate::domain::Cidr;

/// How strong a sign-in can be; a service account shows none.
const SIGN_INS: [Option<Aal>; 3] = [None, Some(Aal::One), Some(Aal::Two)];
/// The first address after those that are IPv4 written as IPv6 (`::ffff:0:0/96`).
const PAST_MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 1, 0, 0, 0);

/// The edges of some conditions.
pub(super) struct Space {
    addresses: BTreeSet<IpAddr>,
    moments: BTreeSet<Moment>,
}

impl Space {
    pub(super) fn of<'a>(conditions: impl IntoIterator<Item = &'a Condition>) -> Self {
        let mut space = Self {
            addresses: BTreeSet::from([
                Ipv4Addr::UNSPECIFIED.into(),
                Ipv6Addr::UNSPECIFIED.into(),
                PAST_MAPPED.into(),
            ]),
            moments: BTreeSet::from([Moment::FIRST]),
        };
        for condition in conditions {
            let ranges = condition.addresses.iter();
            let edges = |range: &Cidr| [Some(range.first()), range.next()];
            space.addresses.extend(ranges.flat_map(edges).flatten());
            let hours = condition.hours.iter();
            space.moments.extend(hours.flat_map(|hours| hours.edges()));
        }
        space
    }

    /// One request for each stretch between two edges, and some from addresses that are not known.
    pub(super) fn circumstances(&self) -> impl Iterator<Item = Circumstances> {
        let known = self.addresses.iter().copied().map(Some);
        let addresses = std::iter::once(None).chain(known);
        addresses.flat_map(move |address| {
            self.moments.iter().flat_map(move |moment| {
                SIGN_INS.into_iter().map(move |aal| Circumstances {
                    aal,
                    address,
                    at: moment.timestamp(),
                    object: None,
                })
            })
        })
    }
}
