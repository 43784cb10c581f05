//! One rotation after another, and what it leaves.

use super::super::faults::{Fault, strike};
use super::*;
use crate::testkit::canary;

fn is_wrong_key(error: &SecretError, item: &Sealed) -> bool {
    matches!(error, SecretError::WrongKey { item: of } if of == item)
}

fn digits(path: &Path) -> String {
    fs::read_to_string(path).unwrap().trim().to_owned()
}

#[test]
fn a_given_key_is_replaced_by_one_file() {
    let place = Place::new();
    let store = place.open_with(KeySource::Given(master(1))).unwrap();
    put(&store, "a", "one", 0);
    let bytes = |file: &str| fs::read(place.file(file)).unwrap();
    let before = ["a@1", "a@head"].map(bytes);
    let done = block_on(store.rewrap(master(2))).unwrap();
    assert_eq!(
        done,
        Rewrapped {
            before: None,
            reencryption_due: false
        }
    );
    assert_eq!(["a@1", "a@head"].map(bytes), before);
    put(&store, "a", "two", 1);
    let old = place.open_with(KeySource::Given(master(1))).unwrap_err();
    assert!(is_wrong_key(&old, &Sealed::Store));
    let new = place.open_with(KeySource::Given(master(2))).unwrap();
    assert_eq!(get(&new, "a", 0).unwrap().unwrap(), "two");
    // And again, from the handle that did it.
    block_on(store.rewrap(master(3))).unwrap();
    let new = place.open_with(KeySource::Given(master(3))).unwrap();
    assert_eq!(get(&new, "a", 1).unwrap().unwrap(), "one");
}

#[test]
fn a_key_file_is_replaced_and_the_key_from_before_kept_beside_it() {
    let place = Place::new();
    let store = place.open().unwrap();
    put(&store, "a", "one", 0);
    let before = digits(&place.key());
    // Another store under the same file, and a backup of this one.
    let other = place.0.path().join("other");
    let open = |dir: &Path| {
        let key = KeySource::File(place.key());
        LocalStore::open(dir, key, Arc::new(SystemEntropy)).unwrap()
    };
    put(&open(&other), "b", "other", 0);
    let backup = place.0.path().join("backup");
    fs::create_dir(&backup).unwrap();
    fs::set_permissions(&backup, Permissions::from_mode(0o700)).unwrap();
    for file in place.files() {
        fs::copy(place.file(&file), backup.join(file)).unwrap();
    }

    let kept = rewrap(&store).unwrap().before.unwrap();
    assert_ne!(digits(&place.key()), before);
    assert_eq!(digits(&kept), before);
    for path in [kept.as_path(), &place.key()] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
    let keys = fs::read_dir(place.0.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_str().unwrap().starts_with("master.key")
    });
    assert_eq!(keys.count(), 2, "the new key lies in the file alone");
    assert_eq!(get(&open(&place.dir()), "a", 0).unwrap().unwrap(), "one");
    assert_eq!(get(&open(&backup), "a", 0).unwrap().unwrap(), "one");
    assert_eq!(get(&open(&other), "b", 0).unwrap().unwrap(), "other");
    fs::remove_file(kept).unwrap();
    assert_eq!(get(&open(&place.dir()), "a", 0).unwrap().unwrap(), "one");
    let key = KeySource::File(place.key());
    let gone = LocalStore::open(&backup, key, Arc::new(SystemEntropy)).unwrap_err();
    assert!(is_wrong_key(&gone, &Sealed::Store));
}

#[test]
fn a_kept_key_that_others_reach_or_that_is_another_is_refused() {
    let place = Place::new();
    let store = place.open().unwrap();
    let kept = rewrap(&store).unwrap().before.unwrap();
    let first = fs::read(&kept).unwrap();
    fs::write(place.key(), first).unwrap();
    fs::rename(&kept, place.0.path().join("aside")).unwrap();
    let id: [u8; 8] = fs::read(place.file("store")).unwrap()[22..30]
        .try_into()
        .unwrap();
    let named = format!("master.key.{:016x}", u64::from_be_bytes(id));
    let named = place.0.path().join(named);
    assert!(is_wrong_key(&place.open().unwrap_err(), &Sealed::Store));
    fs::write(&named, "not a key").unwrap();
    fs::set_permissions(&named, Permissions::from_mode(0o644)).unwrap();
    for refusal in [Refusal::OpenMode, Refusal::NotAKey] {
        match place.open().unwrap_err() {
            SecretError::UnsafeStore {
                item: Sealed::Key,
                refusal: told,
            } => assert_eq!(told, refusal),
            other => panic!("{other:?}"),
        }
        fs::set_permissions(&named, Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn handles_from_before_follow_every_rotation() {
    let place = Place::new();
    let (one, two) = (place.open().unwrap(), place.open().unwrap());
    for round in 0..4 {
        put(&one, "a", "even", 2 * round);
        if round % 2 == 0 {
            rewrap(&two).unwrap();
        } else {
            reencrypt(&two).unwrap();
        }
        assert_eq!(get(&one, "a", 0).unwrap().unwrap(), "even");
        put(&one, "a", "odd", 2 * round + 1);
        assert_eq!(get(&two, "a", 0).unwrap().unwrap(), "odd");
    }
}

#[test]
fn a_given_key_that_was_replaced_elsewhere_serves_until_the_data_key_changes() {
    let place = Place::new();
    let old = place.open_with(KeySource::Given(master(1))).unwrap();
    put(&old, "a", "one", 0);
    let new = place.open_with(KeySource::Given(master(1))).unwrap();
    block_on(new.rewrap(master(2))).unwrap();
    assert_eq!(get(&old, "a", 0).unwrap().unwrap(), "one");
    put(&old, "a", "two", 1);
    assert_eq!(get(&new, "a", 0).unwrap().unwrap(), "two");
    // It has not the key, so it can replace none.
    let refused = block_on(old.rewrap(master(3))).unwrap_err();
    assert!(is_wrong_key(&refused, &Sealed::Store));
    assert!(is_wrong_key(&reencrypt(&old).unwrap_err(), &Sealed::Store));
    reencrypt(&new).unwrap();
    assert!(is_wrong_key(
        &get(&old, "a", 0).unwrap_err(),
        &Sealed::Store
    ));
    let value = SecretValue::from_text(&"x".into()).unwrap();
    let version = Expected::Version(SecretVersion::new(2).unwrap());
    let at = Timestamp::UNIX_EPOCH;
    let refused = block_on(old.put(&name("a"), &value, version, at)).unwrap_err();
    assert!(is_wrong_key(&refused, &Sealed::Store));
    assert_eq!(get(&new, "a", 0).unwrap().unwrap(), "two");
}

#[test]
fn the_data_key_from_before_is_gone_and_opens_nothing() {
    let place = Place::new();
    let store = place.open().unwrap();
    put(&store, "a", "one", 0);
    let (old, ring) = (place.key_of("a@1"), fs::read(place.file("store")).unwrap());
    let value_before = fs::read(place.file("a@1")).unwrap();
    let done = reencrypt(&store).unwrap();
    assert_eq!((done.resealed, done.already), (2, 0));
    assert!(place.under(old).is_empty());
    // A value from before, put back into its very place.
    let now = fs::read(place.file("a@1")).unwrap();
    fs::write(place.file("a@1"), &value_before).unwrap();
    assert!(is_wrong_key(
        &get(&store, "a", 0).unwrap_err(),
        &value("a", 1)
    ));
    fs::write(place.file("a@1"), now).unwrap();
    // The ring from before, put back.
    fs::write(place.file("store"), ring).unwrap();
    assert_eq!(
        damage(get(&store, "a", 0).unwrap_err()),
        (Sealed::Store, Damage::Older)
    );
    let error = get(&place.open().unwrap(), "a", 0).unwrap_err();
    assert!(is_wrong_key(&error, &Sealed::Head(name("a"))));
}

#[test]
fn a_damaged_file_keeps_its_key_until_it_is_restored() {
    let place = Place::new();
    let store = place.open().unwrap();
    for of in ["a", "b", "c"] {
        put(&store, of, "x", 0);
    }
    let (old, good) = (place.key_of("b@1"), fs::read(place.file("b@1")).unwrap());
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(place.file("b@1"), bad).unwrap();
    for _ in 0..2 {
        let error = reencrypt(&store).unwrap_err();
        assert_eq!(damage(error), (value("b", 1), Damage::Seal));
    }
    assert_eq!(place.under(old), ["b@1"]);
    fs::write(place.file("b@1"), good).unwrap();
    let done = reencrypt(&place.open().unwrap()).unwrap();
    assert_eq!((done.resealed, done.already), (1, 5));
    assert!(place.under(old).is_empty());
    assert_eq!(get(&store, "b", 0).unwrap().unwrap(), "x");
}

#[test]
fn what_was_deleted_or_never_put_in_place_is_removed_and_no_other_file_is() {
    let place = Place::new();
    let store = place.open().unwrap();
    put(&store, "a", "one", 0);
    let old = fs::read(place.file("a@1")).unwrap();
    assert!(block_on(store.delete(&name("a"))).unwrap());
    let write = |file: &str, bytes: &[u8]| {
        fs::write(place.file(file), bytes).unwrap();
        fs::set_permissions(place.file(file), Permissions::from_mode(0o600)).unwrap();
    };
    write("a@1", &old);
    write("a@01", &old);
    write("notes", b"of somebody");
    // What a process that was killed has not put in place may be of the old key.
    write(".tmp-00", &old);
    let done = reencrypt(&store).unwrap();
    assert_eq!((done.resealed, done.already), (1, 0));
    assert_eq!(place.files(), ["a@01", "a@head", "notes", "store"]);
    assert_eq!(get(&store, "a", 0).unwrap(), None);
}

#[test]
fn every_flipped_bit_of_the_ring_is_noticed() {
    let place = Place::new();
    let store = place.open().unwrap();
    put(&store, "a", "one", 0);
    rewrap(&store).unwrap();
    let path = place.file("store");
    let good = fs::read(&path).unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, bad).unwrap();
        for error in [
            place.open().unwrap_err(),
            get(&store, "a", 0).unwrap_err(),
            rewrap(&store).unwrap_err(),
        ] {
            let named = error.to_string().contains("key ring of the secret store");
            assert!(named, "bit {bit}: {error}");
        }
    }
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        assert!(place.open().is_err(), "{length}");
        assert!(get(&store, "a", 0).is_err(), "{length}");
    }
    fs::write(&path, [good.as_slice(), b"x"].concat()).unwrap();
    assert!(place.open().is_err());
    fs::write(&path, good).unwrap();
    assert_eq!(get(&store, "a", 0).unwrap().unwrap(), "one");
}

#[test]
fn every_flipped_bit_is_noticed_while_one_key_retires() {
    let place = Place::new();
    let store = place.open().unwrap();
    put(&store, "a", "one", 0);
    // So far that one of its two files is under each key.
    for at in 0..100 {
        strike(Fault::Kill, at, || reencrypt(&store).unwrap_err());
        if place.key_of("a@1") != place.key_of("a@head") {
            break;
        }
    }
    assert_ne!(place.key_of("a@1"), place.key_of("a@head"));
    let store = place.open().unwrap();
    for file in ["a@1", "a@head"] {
        let path = place.file(file);
        let good = fs::read(&path).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, bad).unwrap();
            assert!(get(&store, "a", 0).is_err(), "{file} bit {bit}");
        }
        // The other key's id, in the header of a file that this one sealed.
        let mut bad = good.clone();
        let other = if file == "a@1" { "a@head" } else { "a@1" };
        bad[6..14].copy_from_slice(&place.key_of(other));
        fs::write(&path, bad).unwrap();
        assert!(get(&store, "a", 0).is_err(), "{file}");
        fs::write(&path, good).unwrap();
    }
    assert_eq!(get(&store, "a", 0).unwrap().unwrap(), "one");
}

#[test]
fn no_key_and_no_value_shows_in_what_a_rotation_says() {
    let place = Place::new();
    let marker = "canary-4711-canary";
    let store = place.open().unwrap();
    put(&store, "a", marker, 0);
    let mut hidden = vec![digits(&place.key())];
    let mut texts = Vec::new();
    for _ in 0..2 {
        texts.push(format!("{:?}", rewrap(&store)));
        texts.push(format!("{:?} {store:?}", reencrypt(&store)));
        hidden.push(digits(&place.key()));
    }
    let key = KeySource::Given(master(9));
    texts.push(format!("{key:?} {:?}", KeySource::File(place.key())));
    hidden.push(master(9).expose().map(|b| format!("{b:02x}")).concat());
    texts.push(canary::error_text(&place.open_with(key).unwrap_err()));
    let good = fs::read(place.file("store")).unwrap();
    for byte in 0..good.len() {
        let mut bad = good.clone();
        bad[byte] ^= 1;
        fs::write(place.file("store"), bad).unwrap();
        for error in [rewrap(&store).unwrap_err(), reencrypt(&store).unwrap_err()] {
            texts.push(canary::error_text(&error));
        }
    }
    for text in &texts {
        assert!(!canary::shows(text, marker), "{text}");
        for key in &hidden {
            let bytes: Vec<_> = (0..32)
                .map(|i| u8::from_str_radix(&key[2 * i..2 * i + 2], 16).unwrap())
                .collect();
            let list = format!("{bytes:?}");
            let list = list.trim_matches(['[', ']']);
            assert!(!text.contains(key) && !text.contains(list), "{text}");
        }
    }
}

#[test]
fn what_a_key_seals_is_bound_to_the_store() {
    use super::super::keys::{Form, SealKey};
    let key = |store: u8| SealKey::new(Form::Second([store; 16]), [7; 8], &[9; 32]);
    let at = Timestamp::UNIX_EPOCH;
    let item = value("a", 1);
    let sealed = key(1).seal(&item, 0, b"x", at, &SystemEntropy).unwrap();
    assert_eq!(*key(1).open(&item, &sealed).unwrap().bytes, b"x");
    assert_eq!(
        damage(key(2).open(&item, &sealed).err().unwrap()),
        (item.clone(), Damage::Seal)
    );
    let first = SealKey::new(Form::First, [7; 8], &[9; 32]);
    assert_eq!(
        damage(first.open(&item, &sealed).err().unwrap()),
        (item, Damage::Header)
    );
}
