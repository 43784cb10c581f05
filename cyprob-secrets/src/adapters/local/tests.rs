mod faults;
mod first_format;
mod model;
mod rotation;
mod together;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use cyprob_core::adapters::system::SystemEntropy;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;
use crate::domain::LocalRef;
use crate::ports::{Damage, Refusal, Sealed};
use crate::testkit::block_on;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("secrets")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("master.key")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    fn open(&self) -> Result<LocalStore, SecretError> {
        self.open_with(KeySource::File(self.key()))
    }

    fn open_with(&self, key: KeySource) -> Result<LocalStore, SecretError> {
        LocalStore::open(&self.dir(), key, Arc::new(SystemEntropy))
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.dir()).unwrap().map(|entry| {
            let name = entry.unwrap().file_name();
            name.into_string().unwrap()
        });
        let mut names: Vec<_> = names.filter(|name| name != ".lock").collect();
        names.sort();
        names
    }

    /// The files that name a key of this id, or wrap it.
    fn under(&self, id: [u8; 8]) -> Vec<String> {
        let names = |file: &String| {
            let bytes = fs::read(self.file(file)).unwrap();
            bytes.windows(8).any(|window| window == id)
        };
        self.files().into_iter().filter(names).collect()
    }

    /// The id of the key that a file is sealed under.
    fn key_of(&self, file: &str) -> [u8; 8] {
        fs::read(self.file(file)).unwrap()[6..14]
            .try_into()
            .unwrap()
    }
}

/// A key that a test can have twice.
fn master(seed: u8) -> MasterKey {
    let mut byte = seed;
    MasterKey::generate(|out| {
        for out in out {
            byte = byte.wrapping_mul(5).wrapping_add(17);
            *out = byte;
        }
    })
}

fn rewrap(store: &LocalStore) -> Result<Rewrapped, SecretError> {
    block_on(store.rewrap(random_master_key(&SystemEntropy)))
}

fn reencrypt(store: &LocalStore) -> Result<Reencrypted, SecretError> {
    block_on(store.reencrypt())
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn put(store: &LocalStore, of: &str, value: &str, expected: u64) -> PutOutcome {
    let expected = SecretVersion::new(expected).map_or(Expected::Absent, Expected::Version);
    let value = SecretValue::from_text(&value.into()).unwrap();
    block_on(store.put(&name(of), &value, expected, Timestamp::from_seconds(9))).unwrap()
}

fn get(store: &LocalStore, of: &str, version: u64) -> Result<Option<String>, SecretError> {
    let reference = LocalRef::new(name(of), SecretVersion::new(version));
    let read = block_on(store.read(&SecretRef::Local(reference)))?;
    Ok(read.map(|s| String::from_utf8(s.value.expose_secret().to_vec()).unwrap()))
}

fn damage(error: SecretError) -> (Sealed, Damage) {
    match error {
        SecretError::Damaged { item, damage } => (item, damage),
        other => panic!("not damaged: {other:?}"),
    }
}

fn value(of: &str, version: u64) -> Sealed {
    Sealed::Value(name(of), SecretVersion::new(version).unwrap())
}

#[test]
fn a_store_opens_again_with_what_it_held() {
    let place = Place::new();
    put(&place.open().unwrap(), "a/b", "one", 0);
    let again = place.open().unwrap();
    put(&again, "a/b", "two", 1);
    assert_eq!(
        get(&place.open().unwrap(), "a/b", 0).unwrap().unwrap(),
        "two"
    );
    assert_eq!(get(&again, "a/b", 1).unwrap().unwrap(), "one");
}

#[test]
fn nothing_readable_lies_on_the_disk_and_all_is_private() {
    let place = Place::new();
    put(&place.open().unwrap(), "a", "hunter2-marker", 0);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(place.dir()), 0o700);
    assert_eq!(mode(place.key()), 0o600);
    let mut files = 0;
    for entry in fs::read_dir(place.dir()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(14).any(|w| w == b"hunter2-marker"));
        assert_eq!(mode(path), 0o600);
        files += 1;
    }
    assert_eq!(
        files, 4,
        "lock, marker, list and value, and nothing temporary"
    );
}

#[test]
fn every_flipped_bit_of_a_value_is_noticed() {
    let place = Place::new();
    let store = place.open().unwrap();
    put(&store, "a", "one", 0);
    let path = place.file("a@1");
    let good = fs::read(&path).unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, bad).unwrap();
        let error = get(&store, "a", 0).unwrap_err();
        assert!(error.to_string().contains("secret a version 1"), "{error}");
        match (bit / 8, error) {
            (6..14, SecretError::WrongKey { item }) => assert_eq!(item, value("a", 1)),
            (byte, error) => {
                let expected = match byte {
                    0..5 => Damage::Header,
                    5 | 14..22 => Damage::Misplaced,
                    _ => Damage::Seal,
                };
                assert_eq!(damage(error), (value("a", 1), expected), "byte {byte}");
            }
        }
    }
    for bit in 0..fs::read(place.file("a@head")).unwrap().len() * 8 {
        fs::write(&path, &good).unwrap();
        let head = fs::read(place.file("a@head")).unwrap();
        let mut bad = head.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        fs::write(place.file("a@head"), bad).unwrap();
        let error = get(&store, "a", 0).unwrap_err();
        assert!(error.to_string().contains("list of secret a"), "{error}");
        fs::write(place.file("a@head"), head).unwrap();
    }
}

#[test]
fn every_truncation_and_growth_is_noticed() {
    let place = Place::new();
    let store = place.open().unwrap();
    put(&store, "a", "one", 0);
    let path = place.file("a@1");
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        let (item, damage) = damage(get(&store, "a", 0).unwrap_err());
        let expected = if length < 70 {
            Damage::Length
        } else {
            Damage::Seal
        };
        assert_eq!((item, damage), (value("a", 1), expected), "{length}");
    }
    fs::write(&path, [good.as_slice(), b"x"].concat()).unwrap();
    assert_eq!(damage(get(&store, "a", 0).unwrap_err()).1, Damage::Seal);
    fs::write(&path, vec![0; 200_000]).unwrap();
    assert_eq!(damage(get(&store, "a", 0).unwrap_err()).1, Damage::Length);
}

#[test]
fn swapped_and_replaced_files_are_noticed() {
    let place = Place::new();
    let store = place.open().unwrap();
    for of in ["a", "b"] {
        put(&store, of, "one", 0);
        put(&store, of, "two", 1);
    }
    let copy = |from: &str, to: &str| fs::copy(place.file(from), place.file(to)).unwrap();
    copy("b@2", "a@2");
    assert_eq!(
        damage(get(&store, "a", 2).unwrap_err()),
        (value("a", 2), Damage::Seal)
    );
    copy("a@1", "a@2");
    assert_eq!(
        damage(get(&store, "a", 2).unwrap_err()),
        (value("a", 2), Damage::Misplaced)
    );
    copy("a@head", "a@2");
    assert_eq!(
        damage(get(&store, "a", 2).unwrap_err()),
        (value("a", 2), Damage::Misplaced)
    );
    copy("a@head", "b@head");
    let listed = damage(get(&store, "b", 0).unwrap_err());
    assert_eq!(listed, (Sealed::Head(name("b")), Damage::Seal));
    fs::remove_file(place.file("a@2")).unwrap();
    assert_eq!(
        damage(get(&store, "a", 0).unwrap_err()),
        (value("a", 2), Damage::Missing)
    );
}

#[test]
fn an_old_list_put_back_hides_no_newer_value() {
    let place = Place::new();
    let store = place.open().unwrap();
    put(&store, "a", "one", 0);
    let old = fs::read(place.file("a@head")).unwrap();
    put(&store, "a", "two", 1);
    fs::write(place.file("a@head"), old).unwrap();
    assert_eq!(get(&store, "a", 0).unwrap().unwrap(), "two");
    assert_eq!(
        put(&store, "a", "three", 2),
        PutOutcome::Stored(SecretVersion::new(3).unwrap())
    );
}

#[test]
fn a_deleted_value_put_back_stays_deleted() {
    let place = Place::new();
    let store = place.open().unwrap();
    put(&store, "a", "one", 0);
    let old = fs::read(place.file("a@1")).unwrap();
    assert!(block_on(store.delete(&name("a"))).unwrap());
    assert!(!place.file("a@1").exists());
    fs::write(place.file("a@1"), old).unwrap();
    fs::set_permissions(place.file("a@1"), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(get(&store, "a", 0).unwrap(), None);
    assert_eq!(get(&store, "a", 1).unwrap(), None);
}

#[test]
fn another_master_key_opens_nothing() {
    let place = Place::new();
    put(&place.open().unwrap(), "a", "one", 0);
    let other = KeySource::Given(MasterKey::generate(|out| out.fill(7)));
    let error = LocalStore::open(&place.dir(), other, Arc::new(SystemEntropy)).unwrap_err();
    assert!(matches!(
        error,
        SecretError::WrongKey {
            item: Sealed::Store
        }
    ));
    // A lost key file is not replaced by a new key, and the store survives its return.
    let aside = place.0.path().join("aside");
    fs::rename(place.key(), &aside).unwrap();
    assert!(matches!(place.open().unwrap_err(), SecretError::KeyMissing));
    assert!(!place.key().exists());
    fs::rename(&aside, place.key()).unwrap();
    assert_eq!(get(&place.open().unwrap(), "a", 0).unwrap().unwrap(), "one");
}

#[test]
fn files_of_another_store_under_the_same_key_do_not_open() {
    let (one, two) = (Place::new(), Place::new());
    put(&one.open().unwrap(), "a", "one", 0);
    fs::copy(one.key(), two.key()).unwrap();
    let store = two.open().unwrap();
    put(&store, "a", "two", 0);
    fs::copy(one.file("a@1"), two.file("a@1")).unwrap();
    let error = get(&store, "a", 0).unwrap_err();
    let wrong = matches!(&error, SecretError::WrongKey { item } if *item == value("a", 1));
    assert!(wrong, "{error}");
    // Nor under the other store's ring, which the key opens.
    fs::copy(one.file("store"), two.file("store")).unwrap();
    assert_eq!(damage(get(&store, "a", 0).unwrap_err()).0, Sealed::Store);
    let error = get(&two.open().unwrap(), "a", 0).unwrap_err();
    assert!(matches!(error, SecretError::WrongKey { .. }), "{error}");
}

#[test]
fn a_damaged_or_missing_marker_is_noticed() {
    let place = Place::new();
    put(&place.open().unwrap(), "a", "one", 0);
    let good = fs::read(place.file("store")).unwrap();
    for byte in 0..good.len() {
        let mut bad = good.clone();
        bad[byte] ^= 1;
        fs::write(place.file("store"), bad).unwrap();
        let error = place.open().unwrap_err();
        let named = error.to_string().contains("key ring of the secret store");
        assert!(named, "byte {byte}: {error}");
    }
    fs::remove_file(place.file("store")).unwrap();
    let missing = damage(place.open().unwrap_err());
    assert_eq!(missing, (Sealed::Store, Damage::Missing));
}

#[test]
fn a_directory_or_key_file_that_others_reach_is_refused() {
    let place = Place::new();
    drop(place.open().unwrap());
    let refused = |item: Sealed, refusal: Refusal| match place.open().unwrap_err() {
        SecretError::UnsafeStore {
            item: i,
            refusal: r,
        } => assert_eq!((i, r), (item, refusal)),
        other => panic!("{other:?}"),
    };
    fs::set_permissions(place.key(), Permissions::from_mode(0o644)).unwrap();
    refused(Sealed::Key, Refusal::OpenMode);
    fs::set_permissions(place.key(), Permissions::from_mode(0o600)).unwrap();
    fs::write(place.key(), "not a key").unwrap();
    refused(Sealed::Key, Refusal::NotAKey);
    for mode in [0o750, 0o705, 0o711] {
        fs::set_permissions(place.dir(), Permissions::from_mode(mode)).unwrap();
        refused(Sealed::Directory, Refusal::OpenMode);
    }
}

#[test]
fn what_an_interrupted_write_left_is_removed() {
    let place = Place::new();
    drop(place.open().unwrap());
    fs::write(place.file(".tmp-00"), "torn").unwrap();
    drop(place.open().unwrap());
    assert!(!place.file(".tmp-00").exists());
}

#[test]
fn threads_that_open_and_write_at_once_agree() {
    let place = Place::new();
    let stored: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| match put(&place.open().unwrap(), "a", "x", 0) {
                    PutOutcome::Stored(_) => 1,
                    PutOutcome::Conflict(_) => 0,
                })
            })
            .collect();
        writers.into_iter().map(|w| w.join().unwrap()).sum()
    });
    assert_eq!(stored, 1);
}

crate::secret_store_conformance!(|| {
    let place = Place::new();
    (place.open().unwrap(), place)
});
