//! Stores that were made before there was a key ring.

use super::*;

/// A copy of the store of `fixtures/v1`, with the modes that a store wants.
pub(super) fn place() -> Place {
    let place = Place::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adapters/local/fixtures/v1");
    let copy = |from: PathBuf, to: PathBuf| {
        fs::copy(from, &to).unwrap();
        fs::set_permissions(to, Permissions::from_mode(0o600)).unwrap();
    };
    copy(from.join("master.key"), place.key());
    fs::create_dir(place.dir()).unwrap();
    fs::set_permissions(place.dir(), Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from.join("secrets")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        copy(entry.path(), place.file(&name));
    }
    place
}

/// All that the fixture holds.
fn assert_whole(store: &LocalStore) {
    let held = [
        ("a", 0, Some("two")),
        ("a", 1, Some("one")),
        ("keys/user-token", 1, Some("seed")),
        ("gone", 0, None),
        ("back", 0, Some("again")),
        ("back", 1, None),
        ("torn", 2, Some("two")),
        ("torn", 1, Some("one")),
    ];
    for (of, version, value) in held {
        let read = get(store, of, version).unwrap();
        assert_eq!(read.as_deref(), value, "{of} {version}");
    }
    let names = ["a", "back", "keys/user-token", "torn"].map(name);
    assert_eq!(block_on(store.names()).unwrap(), names);
}

fn formats(place: &Place) -> Vec<u8> {
    let of = |file: &String| {
        let at = if file == "store" { 20 } else { 4 };
        fs::read(place.file(file)).unwrap()[at]
    };
    let mut formats: Vec<_> = place.files().iter().map(of).collect();
    formats.sort_unstable();
    formats.dedup();
    formats
}

#[test]
fn it_is_used_as_it_is_until_it_is_rotated() {
    let place = place();
    let store = place.open().unwrap();
    assert_whole(&store);
    put(&store, "new", "x", 0);
    put(&store, "a", "three", 2);
    assert_whole_but_a(&place.open().unwrap());
    // A program from before reads on.
    assert_eq!(formats(&place), [1]);
}

fn assert_whole_but_a(store: &LocalStore) {
    assert_eq!(get(store, "a", 0).unwrap().unwrap(), "three");
    assert_eq!(get(store, "a", 2).unwrap().unwrap(), "two");
    assert_eq!(get(store, "new", 0).unwrap().unwrap(), "x");
    assert_eq!(get(store, "torn", 0).unwrap().unwrap(), "two");
}

#[test]
fn re_encrypting_brings_it_to_the_second_format() {
    let place = place();
    let beside = place.open().unwrap();
    let files = place.files().len() as u64 - 1;
    let old = place.key_of("a@1");
    let done = reencrypt(&place.open().unwrap()).unwrap();
    assert_eq!((done.resealed, done.already), (files, 0));
    assert_eq!(formats(&place), [2]);
    assert_whole(&beside);
    assert_whole(&place.open().unwrap());
    // The ring is still wrapped by the master key of that id.
    assert_eq!(place.under(old), ["store"]);
    put(&beside, "a", "three", 2);
    assert_eq!(
        get(&place.open().unwrap(), "a", 0).unwrap().unwrap(),
        "three"
    );
}

#[test]
fn a_new_master_key_alone_leaves_the_values_and_says_what_is_due() {
    let place = place();
    let beside = place.open().unwrap();
    let old = place.key_of("a@1");
    let done = rewrap(&place.open().unwrap()).unwrap();
    assert!(done.reencryption_due);
    assert_whole(&beside);
    put(&beside, "new", "x", 0);
    assert_ne!(place.key_of("new@1"), old, "what is new has the new key");
    assert_eq!(place.key_of("a@1"), old);
    let again = rewrap(&beside).unwrap();
    assert!(again.reencryption_due);
    let sealed = reencrypt(&beside).unwrap();
    assert_eq!(sealed.already, 2);
    assert!(place.under(old).is_empty());
    assert_whole_but_new(&place.open().unwrap());
    assert!(!rewrap(&beside).unwrap().reencryption_due);
}

fn assert_whole_but_new(store: &LocalStore) {
    assert!(block_on(store.delete(&name("new"))).unwrap());
    assert_whole(store);
}

#[test]
fn a_marker_from_before_put_back_opens_no_newer_file() {
    let place = place();
    let marker = fs::read(place.file("store")).unwrap();
    let store = place.open().unwrap();
    reencrypt(&store).unwrap();
    fs::write(place.file("store"), marker).unwrap();
    assert_eq!(
        damage(get(&store, "a", 0).unwrap_err()),
        (Sealed::Store, Damage::Older)
    );
    let error = get(&place.open().unwrap(), "a", 0).unwrap_err();
    assert!(matches!(error, SecretError::WrongKey { .. }), "{error}");
}
