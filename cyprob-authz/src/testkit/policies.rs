//! Generated roles with conditions.

use cyprob_core::domain::Aal;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::domain::policy::{Circumstances, Condition, Grant, Hours, Window};
use crate::domain::{Cidr, Permission};

/// Ranges that lie within, beside and across each other; the last one holds no address.
pub(super) const RANGES: [&str; 7] = [
    "10.0.0.0/8",
    "10.1.2.3/32",
    "192.0.2.0/24",
    "0.0.0.0/0",
    "2001:db8::/32",
    "::/0",
    "::ffff:0.0.0.0/96",
];
const DAYS: [&str; 5] = ["mon", "mon-fri", "sat,sun", "mon-sun", "mon-thu,sat"];
/// Times of the day, on the hour and beside it.
const TIMES: [&str; 6] = ["00:00", "00:01", "08:00", "12:30", "23:59", "24:00"];

fn ranges() -> impl Strategy<Value = Vec<Cidr>> {
    let some = subsequence(RANGES.to_vec(), 1..=3);
    let read = |text: &str| text.parse().ok();
    prop_oneof![
        1 => Just(Vec::new()),
        1 => some.prop_map(move |list| list.into_iter().filter_map(read).collect()),
    ]
}

fn windows() -> impl Strategy<Value = Option<Hours>> {
    let window = (select(&DAYS[..]), select(&TIMES[..]), select(&TIMES[..]));
    let window = window.prop_filter_map("no window", |(days, from, until)| {
        format!("{days} {from}-{until}").parse::<Window>().ok()
    });
    prop_oneof![
        1 => Just(None),
        1 => vec(window, 1..=3).prop_map(|windows| Hours::new(windows).ok()),
    ]
}

/// Conditions of every kind, none among them.
pub fn condition() -> impl Strategy<Value = Condition> {
    let aal = prop_oneof![
        1 => Just(None),
        1 => Just(Some(Aal::One)),
        1 => Just(Some(Aal::Two)),
    ];
    (aal, ranges(), windows()).prop_map(|(aal, addresses, hours)| Condition {
        aal,
        addresses,
        hours,
        own: false,
        tags: std::collections::BTreeSet::new(),
    })
}

/// One to four grants.
pub fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let all = Permission::ALL;
    let some = subsequence(all.to_vec(), all.len() / 2..=all.len());
    let grant = (some, condition()).prop_map(|(permissions, when)| Grant {
        permissions: permissions.into_iter().collect(),
        when,
    });
    vec(grant, 1..=4)
}

/// Requests near the edges of those conditions.
pub fn circumstances() -> impl Strategy<Value = Circumstances> {
    let aal = select(vec![None, Some(Aal::One), Some(Aal::Two)]);
    let addresses = [
        "10.1.2.3",
        "10.1.2.4",
        "9.255.255.255",
        "192.0.2.9",
        "::ffff:10.1.2.3",
        "2001:db8::7",
        "2001:db9::",
        "255.255.255.255",
    ];
    let read = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    let address = proptest::option::of(select(addresses.to_vec())).prop_map(read);
    // Any second of some weeks, and every second about the edges.
    let day = 0_i64..21;
    let minute = prop_oneof![
        1 => 0_i64..1_440,
        2 => select(vec![0_i64, 1, 479, 480, 749, 750, 1_438, 1_439]),
    ];
    (aal, address, day, minute, 0_i64..60).prop_map(|(aal, address, day, minute, second)| {
        let seconds = (day * 1_440 + minute) * 60 + second;
        Circumstances {
            aal,
            address,
            object: None,
            at: cyprob_core::domain::Timestamp::from_seconds(seconds),
        }
    })
}
