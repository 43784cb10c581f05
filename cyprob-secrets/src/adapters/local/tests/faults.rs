//! The store killed, or failed once, at every step of a change.

use super::super::faults::{Fault, strike};
use super::*;

/// A change, and how often it can be struck at the least.
type Change = (
    &'static str,
    u32,
    fn(&LocalStore) -> Result<(), SecretError>,
);

const CHANGES: [Change; 4] = [
    ("rewrap", 18, |store| rewrap(store).map(|_| ())),
    ("reencrypt", 30, |store| reencrypt(store).map(|_| ())),
    ("put", 8, |store| {
        let value = SecretValue::from_text(&"two".into()).unwrap();
        let expected = Expected::Version(SecretVersion::FIRST);
        block_on(store.put(&name("a"), &value, expected, Timestamp::UNIX_EPOCH)).map(|_| ())
    }),
    ("delete", 6, |store| {
        block_on(store.delete(&name("a"))).map(|_| ())
    }),
];

/// A store with three secrets, a deleted one and what a crash left of one.
fn filled() -> Place {
    let place = Place::new();
    let store = place.open().unwrap();
    for of in ["a", "b", "c/d"] {
        put(&store, of, "one", 0);
    }
    put(&store, "gone", "one", 0);
    block_on(store.delete(&name("gone"))).unwrap();
    let head = fs::read(place.file("b@head")).unwrap();
    put(&store, "b", "two", 1);
    fs::write(place.file("b@head"), head).unwrap();
    place
}

fn copied(from: &Place) -> Place {
    let place = Place::new();
    fs::create_dir(place.dir()).unwrap();
    fs::set_permissions(place.dir(), Permissions::from_mode(0o700)).unwrap();
    for file in from.files() {
        fs::copy(from.file(&file), place.file(&file)).unwrap();
    }
    fs::copy(from.key(), place.key()).unwrap();
    place
}

/// What is there but for `a`, and that `a` is in one of the states that it may be in.
fn judge(store: &LocalStore, change: &str, told: &str) {
    assert_eq!(
        get(store, "b", 0).unwrap().as_deref(),
        Some("two"),
        "{told}"
    );
    assert_eq!(
        get(store, "b", 1).unwrap().as_deref(),
        Some("one"),
        "{told}"
    );
    assert_eq!(
        get(store, "c/d", 0).unwrap().as_deref(),
        Some("one"),
        "{told}"
    );
    assert_eq!(get(store, "gone", 0).unwrap(), None, "{told}");
    let a = get(store, "a", 0).unwrap();
    let may: &[Option<&str>] = match change {
        "put" => &[Some("one"), Some("two")],
        "delete" => &[Some("one"), None],
        _ => &[Some("one")],
    };
    assert!(may.contains(&a.as_deref()), "{told}: {a:?}");
}

fn at_every_step(template: &Place, fault: Fault) {
    for (change, least, run) in CHANGES {
        for at in 0.. {
            let told = format!("{change} {fault:?} at {at}");
            let place = copied(template);
            let beside = place.open().unwrap();
            let store = place.open().unwrap();
            let (ended, struck) = strike(fault, at, || run(&store));
            if !struck {
                ended.unwrap();
                assert!(at >= least, "{change}: only {at} steps");
                break;
            }
            // A failure that is only of tidying up is none.
            judge(&beside, change, &told);
            if fault == Fault::Fail {
                judge(&store, change, &told);
            }
            let again = place.open().unwrap();
            judge(&again, change, &told);
            assert!(
                !place.files().iter().any(|file| file.starts_with(".tmp-")),
                "{told}"
            );
            // Going on: everything still works, and the rotation comes to its end.
            put(&beside, "new", "x", 0);
            rewrap(&again).unwrap();
            let old = place.key_of("c+d@1");
            // Twice, because the first may only end what was struck.
            reencrypt(&again).unwrap();
            reencrypt(&again).unwrap();
            let beside_the_key = fs::read_dir(place.0.path()).unwrap().map(Result::unwrap);
            let names = beside_the_key.map(|file| file.file_name().into_string().unwrap());
            assert!(
                names.into_iter().all(|name| !name.starts_with('.')),
                "{told}"
            );
            assert!(place.under(old).is_empty(), "{told}");
            judge(&beside, change, &told);
            judge(&place.open().unwrap(), change, &told);
            assert_eq!(get(&beside, "new", 0).unwrap().unwrap(), "x");
        }
    }
}

#[test]
fn killed_at_every_step() {
    at_every_step(&filled(), Fault::Kill);
}

#[test]
fn failed_at_every_step() {
    at_every_step(&filled(), Fault::Fail);
}

#[test]
fn killed_at_every_step_of_a_rotation_from_the_first_format() {
    for (_, _, rotate) in &CHANGES[..2] {
        for at in 0.. {
            let place = first_format::place();
            let (beside, store) = (place.open().unwrap(), place.open().unwrap());
            let (_, struck) = strike(Fault::Kill, at, || rotate(&store));
            for store in [&beside, &place.open().unwrap()] {
                assert_eq!(get(store, "a", 1).unwrap().unwrap(), "one", "{at}");
                assert_eq!(get(store, "torn", 0).unwrap().unwrap(), "two", "{at}");
                assert_eq!(get(store, "gone", 0).unwrap(), None, "{at}");
            }
            put(&beside, "a", "three", 2);
            reencrypt(&beside).unwrap();
            let store = place.open().unwrap();
            assert_eq!(get(&store, "a", 0).unwrap().unwrap(), "three", "{at}");
            if !struck {
                assert!(at > 10, "only {at} steps");
                break;
            }
        }
    }
}

#[test]
fn a_given_key_is_one_of_the_two_at_every_step() {
    let mut seen = [0, 0];
    for fault in [Fault::Kill, Fault::Fail] {
        for at in 0.. {
            let place = Place::new();
            let store = place.open_with(KeySource::Given(master(1))).unwrap();
            put(&store, "a", "one", 0);
            let (_, struck) = strike(fault, at, || block_on(store.rewrap(master(2))));
            let opened = [1, 2].map(|key| place.open_with(KeySource::Given(master(key))));
            let opens = opened.each_ref().map(|opened| usize::from(opened.is_ok()));
            assert_eq!(opens[0] + opens[1], 1, "{fault:?} at {at}");
            seen = [seen[0] + opens[0], seen[1] + opens[1]];
            for store in opened.iter().flatten().chain([&store]) {
                assert_eq!(get(store, "a", 0).unwrap().unwrap(), "one");
            }
            if !struck {
                assert_eq!(opens, [0, 1]);
                break;
            }
        }
    }
    assert!(seen.iter().all(|seen| *seen > 3), "{seen:?}");
}

#[test]
fn killed_at_every_step_of_its_making() {
    for at in 0.. {
        let place = Place::new();
        let (made, struck) = strike(Fault::Kill, at, || place.open());
        drop(made);
        let store = place.open().unwrap();
        put(&store, "a", "one", 0);
        assert_eq!(get(&place.open().unwrap(), "a", 0).unwrap().unwrap(), "one");
        if !struck {
            assert!(at > 8, "only {at} steps");
            break;
        }
    }
}
