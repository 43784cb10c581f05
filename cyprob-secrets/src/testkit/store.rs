//! What every [`SecretStore`] must do, one function per behaviour.

use cyprob_core::domain::Timestamp;
use secrecy::ExposeSecret;

use crate::domain::{LocalRef, SecretName, SecretRef, SecretValue, SecretVersion, SourceVersion};
use crate::ports::{Expected, Listed, PutOutcome, Secret, SecretError, SecretStore};

type Done = Result<(), SecretError>;

const AT: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// Makes one `#[test]` per behaviour for a store.
///
/// The argument is a closure that makes an empty store and what must outlive it.
#[macro_export]
macro_rules! secret_store_conformance {
    ($make:expr) => {
        $crate::secret_store_conformance! { $make;
            an_absent_secret_is_none
            a_value_comes_back_byte_for_byte
            versions_count_from_one_and_stay_readable
            a_version_that_is_not_there_is_none
            a_write_that_expects_otherwise_changes_nothing
            deleting_removes_every_version
            deleting_again_changes_nothing
            a_version_number_is_never_reused
            older_versions_are_removed_and_the_newest_stays
            a_list_names_what_is_below_with_its_newest_version
            names_are_listed_in_order
            names_of_deleted_secrets_take_room
            names_do_not_run_into_each_other
            other_schemes_are_not_served
            many_writers_of_one_version_store_once
            a_write_and_a_deletion_are_one_after_the_other
        }
    };
    ($make:expr; $($behaviour:ident)*) => {
        mod conformance {
            #[allow(unused_imports)]
            use super::*;
            $(#[test]
            fn $behaviour() {
                let (store, _alive) = ($make)();
                $crate::testkit::block_on($crate::testkit::store::$behaviour(&store)).unwrap();
            })*
        }
    };
}

fn name(text: &str) -> SecretName {
    match text.parse() {
        Ok(name) => name,
        Err(_) => unreachable!("a constant of this file"),
    }
}

fn value(bytes: &[u8]) -> SecretValue {
    match SecretValue::new(bytes.to_vec()) {
        Ok(value) => value,
        Err(_) => unreachable!("a constant of this file"),
    }
}

async fn get(
    store: &impl SecretStore,
    of: &str,
    version: u64,
) -> Result<Option<Secret>, SecretError> {
    let reference = LocalRef::new(name(of), SecretVersion::new(version));
    store.read(&SecretRef::Local(reference)).await
}

async fn put(
    store: &impl SecretStore,
    of: &str,
    bytes: &[u8],
    expected: u64,
) -> Result<PutOutcome, SecretError> {
    let expected = SecretVersion::new(expected).map_or(Expected::Absent, Expected::Version);
    store.put(&name(of), &value(bytes), expected, AT).await
}

fn assert_holds(secret: Option<Secret>, bytes: &[u8], version: u64) {
    let holds = secret.is_some_and(|secret| {
        secret.value.expose_secret() == bytes
            && secret.version == SecretVersion::new(version).map(SourceVersion::from)
            && dated(secret.stored_at)
    });
    assert!(holds, "not the value that was stored");
}

/// The time that was given, or that of a server's own clock.
fn dated(stored_at: Option<Timestamp>) -> bool {
    let lately = Timestamp::from_seconds(1_780_000_000);
    stored_at.is_some_and(|at| at == AT || at > lately)
}

fn assert_stored(outcome: PutOutcome, version: u64) {
    let expected = SecretVersion::new(version).map(PutOutcome::Stored);
    assert_eq!(Some(outcome), expected);
}

/// After a deletion: a number above the last, which the deletion may have used one up of.
fn stored_above(outcome: PutOutcome, last: u64) -> u64 {
    match outcome {
        PutOutcome::Stored(version) if version.get() > last => version.get(),
        other => unreachable!("{other:?} after {last}"),
    }
}

/// A name never written reads as none and has no versions.
pub async fn an_absent_secret_is_none(store: &impl SecretStore) -> Done {
    assert!(get(store, "a", 0).await?.is_none());
    assert!(get(store, "a", 1).await?.is_none());
    assert!(store.versions(&name("a")).await?.is_empty());
    assert!(store.names().await?.is_empty());
    Ok(())
}

/// Any bytes come back as they were, up to the longest value.
pub async fn a_value_comes_back_byte_for_byte(store: &impl SecretStore) -> Done {
    let all: Vec<u8> = (0..=255).collect();
    let longest = vec![0xa5; SecretValue::MAX_LEN];
    for (of, bytes) in [("all", &all), ("long", &longest), ("nul", &vec![0])] {
        assert_stored(put(store, of, bytes, 0).await?, 1);
        assert_holds(get(store, of, 0).await?, bytes, 1);
    }
    Ok(())
}

/// Each write is the next version; older ones stay readable by number.
pub async fn versions_count_from_one_and_stay_readable(store: &impl SecretStore) -> Done {
    for (before, bytes) in [(0, b"one"), (1, b"two"), (2, b"tri")] {
        assert_stored(put(store, "a", bytes, before).await?, before + 1);
    }
    assert_holds(get(store, "a", 0).await?, b"tri", 3);
    for (version, bytes) in [(1, b"one"), (2, b"two"), (3, b"tri")] {
        assert_holds(get(store, "a", version).await?, bytes, version);
    }
    let versions = store.versions(&name("a")).await?;
    let numbers: Vec<u64> = versions.into_iter().map(SecretVersion::get).collect();
    assert_eq!(numbers, [1, 2, 3]);
    Ok(())
}

/// A version past the newest reads as none, not as the newest.
pub async fn a_version_that_is_not_there_is_none(store: &impl SecretStore) -> Done {
    put(store, "a", b"one", 0).await?;
    for version in [2, u64::MAX] {
        assert!(get(store, "a", version).await?.is_none());
    }
    Ok(())
}

/// A write that expects another newest version is told which it is.
pub async fn a_write_that_expects_otherwise_changes_nothing(store: &impl SecretStore) -> Done {
    let conflict = |version| PutOutcome::Conflict(SecretVersion::new(version));
    assert_eq!(put(store, "a", b"no", 1).await?, conflict(0));
    put(store, "a", b"one", 0).await?;
    assert_eq!(put(store, "a", b"no", 0).await?, conflict(1));
    assert_eq!(put(store, "a", b"no", 2).await?, conflict(1));
    assert_holds(get(store, "a", 0).await?, b"one", 1);
    assert_eq!(store.versions(&name("a")).await?.len(), 1);
    Ok(())
}

/// After a deletion no version can be read and the name is not listed.
pub async fn deleting_removes_every_version(store: &impl SecretStore) -> Done {
    put(store, "a", b"one", 0).await?;
    put(store, "a", b"two", 1).await?;
    put(store, "b", b"stays", 0).await?;
    assert!(store.delete(&name("a")).await?);
    for version in [0, 1, 2] {
        assert!(get(store, "a", version).await?.is_none());
    }
    assert!(store.versions(&name("a")).await?.is_empty());
    assert_eq!(store.names().await?, [name("b")]);
    assert_holds(get(store, "b", 0).await?, b"stays", 1);
    Ok(())
}

/// Deleting what is not there says so.
pub async fn deleting_again_changes_nothing(store: &impl SecretStore) -> Done {
    assert!(!store.delete(&name("a")).await?);
    put(store, "a", b"one", 0).await?;
    assert!(store.delete(&name("a")).await?);
    assert!(!store.delete(&name("a")).await?);
    Ok(())
}

/// A value written after a deletion gets a number never given before.
pub async fn a_version_number_is_never_reused(store: &impl SecretStore) -> Done {
    put(store, "a", b"one", 0).await?;
    put(store, "a", b"two", 1).await?;
    store.delete(&name("a")).await?;
    let again = stored_above(put(store, "a", b"new", 0).await?, 2);
    assert!(get(store, "a", 1).await?.is_none());
    assert_holds(get(store, "a", again).await?, b"new", again);
    let versions = store.versions(&name("a")).await?;
    assert_eq!(
        versions
            .into_iter()
            .map(SecretVersion::get)
            .collect::<Vec<_>>(),
        [again]
    );
    Ok(())
}

/// Versions before a number are gone for good, and never the newest one.
pub async fn older_versions_are_removed_and_the_newest_stays(store: &impl SecretStore) -> Done {
    let of = name("a");
    let numbers = async || {
        let versions = store.versions(&of).await?;
        Ok::<Vec<u64>, SecretError>(versions.into_iter().map(SecretVersion::get).collect())
    };
    let cut = async |version| match SecretVersion::new(version) {
        Some(version) => store.delete_before(&of, version).await,
        None => Ok(()),
    };
    cut(3).await?;
    assert!(numbers().await?.is_empty());
    for before in 0..4 {
        put(store, "a", b"x", before).await?;
    }
    put(store, "a/b", b"stays", 0).await?;
    for (version, left) in [
        (1, vec![1, 2, 3, 4]),
        (3, vec![3, 4]),
        (3, vec![3, 4]),
        (2, vec![3, 4]),
        (u64::MAX, vec![4]),
    ] {
        cut(version).await?;
        assert_eq!(numbers().await?, left, "before {version}");
    }
    assert!(get(store, "a", 3).await?.is_none());
    assert_holds(get(store, "a", 0).await?, b"x", 4);
    assert_holds(get(store, "a/b", 1).await?, b"stays", 1);
    assert_stored(put(store, "a", b"new", 4).await?, 5);
    store.delete(&of).await?;
    cut(1).await?;
    assert!(numbers().await?.is_empty());
    stored_above(put(store, "a", b"later", 0).await?, 5);
    Ok(())
}

/// What is below a name by whole segments is listed, sorted, each as its newest version; what was deleted is not.
pub async fn a_list_names_what_is_below_with_its_newest_version(store: &impl SecretStore) -> Done {
    for of in [
        "o/b/c", "o", "o/a", "o-a", "o-a/b", "oo/a", "p/o/a", "o/gone",
    ] {
        put(store, of, b"x", 0).await?;
    }
    put(store, "o/a", b"y", 1).await?;
    store.delete(&name("o/gone")).await?;
    let expected: Vec<_> = [("o/a", 2), ("o/b/c", 1)]
        .map(|(of, version)| (name(of), SecretVersion::new(version)))
        .to_vec();
    let listed = |found: Vec<Listed>| -> Vec<_> {
        assert!(found.iter().all(|found| dated(found.stored_at)));
        let found = found.into_iter();
        found
            .map(|found| (found.name, Some(found.version)))
            .collect()
    };
    assert_eq!(listed(store.list(&name("o")).await?), expected);
    assert!(store.list(&name("o/a")).await?.is_empty());
    assert!(store.list(&name("nobody")).await?.is_empty());
    if let Some(version) = SecretVersion::new(2) {
        store.delete_before(&name("o/a"), version).await?;
    }
    assert_eq!(listed(store.list(&name("o")).await?), expected);
    Ok(())
}

/// All names with a value are listed, sorted.
pub async fn names_are_listed_in_order(store: &impl SecretStore) -> Done {
    for of in ["b/c", "a", "b", "a-b"] {
        put(store, of, b"x", 0).await?;
    }
    let expected = ["a", "a-b", "b", "b/c"].map(name);
    assert_eq!(store.names().await?, expected);
    Ok(())
}

/// A name that was used takes room, also once its secret is deleted; one that was only asked for does not.
pub async fn names_of_deleted_secrets_take_room(store: &impl SecretStore) -> Done {
    for of in ["o/b", "o", "o/a/b", "oo/a", "o/gone"] {
        put(store, of, b"x", 0).await?;
    }
    put(store, "o/refused", b"x", 7).await?;
    get(store, "o/asked", 0).await?;
    store.versions(&name("o/asked")).await?;
    store.delete(&name("o/asked")).await?;
    store.delete(&name("o/gone")).await?;
    let expected = ["o/a/b", "o/b", "o/gone"].map(name);
    assert_eq!(store.taken(&name("o")).await?, expected);
    assert!(store.taken(&name("nobody")).await?.is_empty());
    Ok(())
}

/// Names that look alike are different secrets.
pub async fn names_do_not_run_into_each_other(store: &impl SecretStore) -> Done {
    let names = [
        "a/b", "a-b", "a_b", "a.b", "ab", "a", "a/b/1", "a/b-1", "a1", "head", "a/head", "store",
    ];
    for of in names {
        assert_stored(put(store, of, of.as_bytes(), 0).await?, 1);
    }
    for of in names {
        assert_holds(get(store, of, 0).await?, of.as_bytes(), 1);
    }
    assert_eq!(store.names().await?.len(), names.len());
    Ok(())
}

/// A reference of another scheme is an error, not an absent secret.
pub async fn other_schemes_are_not_served(store: &impl SecretStore) -> Done {
    for text in ["env://A", "file:///a", "vault://kv/a#b", "awssm://a"] {
        let Ok(reference) = text.parse() else {
            unreachable!("a constant of this file")
        };
        let refused = matches!(
            store.read(&reference).await,
            Err(SecretError::Unserved { scheme }) if scheme == reference.scheme()
        );
        assert!(refused, "{text}");
    }
    Ok(())
}

/// Of writers on many threads that expect the same version, one stores.
pub async fn many_writers_of_one_version_store_once(store: &impl SecretStore) -> Done {
    for round in 0..5 {
        let stored = std::thread::scope(|scope| {
            let write = || super::block_on(put(store, "a", b"x", round));
            let writers: Vec<_> = (0..4).map(|_| scope.spawn(write)).collect();
            let ends = writers.into_iter().map(|writer| writer.join());
            ends.filter(|end| matches!(end, Ok(Ok(PutOutcome::Stored(_)))))
                .count()
        });
        assert_eq!(stored, 1);
    }
    Ok(())
}

/// Whichever comes first, nothing is left: the write expects what the deletion takes away.
pub async fn a_write_and_a_deletion_are_one_after_the_other(store: &impl SecretStore) -> Done {
    let mut last = 0;
    for _ in 0..20 {
        last = stored_above(put(store, "a", b"one", 0).await?, last);
        let (written, deleted) = std::thread::scope(|scope| {
            let writer = scope.spawn(|| super::block_on(put(store, "a", b"two", last)));
            let deleted = super::block_on(store.delete(&name("a")));
            (writer.join(), deleted)
        });
        assert!(deleted?, "there was something to delete");
        match written {
            Ok(Ok(PutOutcome::Conflict(None))) => {}
            Ok(Ok(stored)) => last = stored_above(stored, last),
            other => unreachable!("{other:?}"),
        }
        assert!(store.versions(&name("a")).await?.is_empty());
        assert!(get(store, "a", 0).await?.is_none());
    }
    Ok(())
}
