//! Generated roles with conditions.

use std::collections::BTreeSet;

use cyprob_core::domain::{Aal, Tag};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::domain::policy::{Circumstances, Condition, Grant, Hours, Object, Window};
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
/// Tags of conditions and objects; one is the start of another.
pub(super) const TAGS: [&str; 3] = ["web", "team:web", "team:web/2"];
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

fn tag(text: &str) -> Option<Tag> {
    text.parse().ok()
}

/// What is asked of an object, mostly nothing.
fn of_object() -> impl Strategy<Value = (bool, BTreeSet<Tag>)> {
    let some = |least| {
        let some = subsequence(TAGS.to_vec(), least..=2);
        some.prop_map(|list| list.into_iter().filter_map(tag).collect())
    };
    prop_oneof![
        5 => Just((false, BTreeSet::new())),
        1 => some(0).prop_map(|tags| (true, tags)),
        1 => some(1).prop_map(|tags| (false, tags)),
    ]
}

/// Conditions of every kind, none among them.
pub fn condition() -> impl Strategy<Value = Condition> {
    let aal = prop_oneof![
        1 => Just(None),
        1 => Just(Some(Aal::One)),
        1 => Just(Some(Aal::Two)),
    ];
    (aal, ranges(), windows(), of_object()).prop_map(|(aal, addresses, hours, (own, tags))| {
        Condition {
            aal,
            addresses,
            hours,
            own,
            tags,
        }
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

/// One to three grants that ask something of the object, and little else.
pub(super) fn scoped_grants() -> impl Strategy<Value = Vec<Grant>> {
    let asked = of_object().prop_filter("asks nothing", |(own, tags)| *own || !tags.is_empty());
    let grant = (asked, prop::bool::weighted(0.2)).prop_map(|((own, tags), strong)| Grant {
        permissions: Permission::ALL.iter().copied().collect(),
        when: Condition {
            aal: strong.then_some(Aal::Two),
            own,
            tags,
            ..Condition::default()
        },
    });
    vec(grant, 1..=3)
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
    let marks = proptest::option::of(select(TAGS.to_vec()));
    let object = (any::<bool>(), marks).prop_map(|(own, mark)| Object {
        own,
        tag: mark.and_then(tag),
    });
    let object = proptest::option::weighted(0.7, object);
    let time = (day, minute, 0_i64..60);
    (aal, address, object, time).prop_map(|(aal, address, object, (day, minute, second))| {
        let seconds = (day * 1_440 + minute) * 60 + second;
        Circumstances {
            aal,
            address,
            object,
            at: cyprob_core::domain::Timestamp::from_seconds(seconds),
        }
    })
}
