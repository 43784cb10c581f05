//! What every [`SecretProvider`] must do, one function per behaviour.
//!
//! A [`ProviderStand`] is a provider with a way to change what its source
//! holds. Two more traits say what not every source has: [`VersionedStand`],
//! that older versions can be read by name, and [`RemoteStand`], that the
//! provider reaches its source through a [`FaultProxy`](super::fault_proxy).
//!
//! The macro takes a closure that makes a stand, and makes one `#[test]` per
//! behaviour in a module `conformance`, each with a stand of its own in a Tokio
//! runtime of its own:
//!
//! ```text
//! secret_provider_conformance!(|| async { MyStand::new().await });
//! secret_provider_conformance!(|| async { MyStand::new().await }; versions);
//! secret_provider_conformance!(|| async { MyStand::new().await }; versions, remote);
//! ```
//!
//! Stands may share one server: keys are the stand's to make its own, by a
//! random prefix for example. A stand panics where its source does not do what
//! it says.

mod remote;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use cyprob_core::domain::Timestamp;
use secrecy::ExposeSecret;

use super::canary;
use super::fault_proxy::FaultProxy;
use crate::domain::{LocalRef, SecretName, SecretRef, SecretValue, SourceVersion};
use crate::ports::{Expected, PutOutcome, Secret, SecretError, SecretProvider, SecretStore};

pub use self::remote::{
    a_broken_answer_is_an_error_and_no_value, a_hang_ends_in_time, a_huge_answer_is_cut_off,
    an_outage_is_told_as_one_and_heals, no_fault_shows_a_value,
};

type Done = Result<(), SecretError>;

const MARKER: &str = "m4rk3r-0f-a-pr0v1d3r-93ab";

/// A provider whose source the tests fill.
#[async_trait]
pub trait ProviderStand: Send + Sync {
    /// The provider.
    fn provider(&self) -> &dyn SecretProvider;

    /// Gives a key a new value; the older ones stay where the source has versions.
    ///
    /// Keys are short words of `a-z`.
    async fn put(&self, key: &str, value: &[u8]);

    /// Takes a key and all its versions away.
    async fn delete(&self, key: &str);

    /// The reference to a key's newest value.
    fn newest(&self, key: &str) -> SecretRef;

    /// Whether values may be any bytes, and not UTF-8 text alone.
    fn holds_bytes(&self) -> bool;

    /// The most bytes of a value in this source, at most [`SecretValue::MAX_LEN`].
    fn longest(&self) -> usize;
}

/// A stand of a source that keeps older versions.
pub trait VersionedStand: ProviderStand {
    /// The reference to one version of a key.
    fn at(&self, key: &str, version: &SourceVersion) -> SecretRef;

    /// A version that no key has.
    fn unknown(&self) -> SourceVersion;
}

/// A stand whose provider reaches its source through a proxy.
pub trait RemoteStand: ProviderStand {
    /// The proxy.
    fn proxy(&self) -> &FaultProxy;

    /// How long a read may take that nobody answers, with all its attempts; a few seconds at most.
    fn patience(&self) -> std::time::Duration;
}

/// Makes one `#[test]` per behaviour for a provider; see [`testkit::provider`](crate::testkit::provider).
#[macro_export]
macro_rules! secret_provider_conformance {
    ($make:expr $(; $($group:ident),+)?) => {
        mod conformance {
            #[allow(unused_imports)]
            use super::*;
            $crate::secret_provider_conformance! { @any $make }
            $($($crate::secret_provider_conformance! { @$group $make })+)?
        }
    };
    (@any $make:expr) => {
        $crate::secret_provider_conformance! { @each $make;
            an_absent_secret_is_none
            the_newest_value_is_read
            a_value_comes_back_byte_for_byte
            a_deleted_secret_is_none_at_the_next_read
            repeated_reads_agree
            other_schemes_are_not_served
            nothing_shows_a_value
        }
    };
    (@versions $make:expr) => {
        $crate::secret_provider_conformance! { @each $make;
            a_version_is_read_by_its_own_name
            a_version_that_is_not_there_is_none
            a_deleted_secret_has_no_versions
        }
    };
    (@remote $make:expr) => {
        $crate::secret_provider_conformance! { @each $make;
            an_outage_is_told_as_one_and_heals
            a_hang_ends_in_time
            a_broken_answer_is_an_error_and_no_value
            a_huge_answer_is_cut_off
            no_fault_shows_a_value
        }
    };
    (@each $make:expr; $($behaviour:ident)*) => {
        $(#[test]
        fn $behaviour() {
            $crate::testkit::provider::run(async {
                let stand = ($make)().await;
                $crate::testkit::provider::$behaviour(&stand).await.unwrap();
            });
        })*
    };
}

/// Runs a future to its end in a runtime of its own.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => unreachable!("a runtime can be made: {error}"),
    }
}

/// A stand over a store, whose secrets it reads as `local://` references.
#[derive(Debug)]
pub struct StoreStand<S>(pub S);

#[async_trait]
impl<S: SecretStore> ProviderStand for StoreStand<S> {
    fn provider(&self) -> &dyn SecretProvider {
        &self.0
    }

    async fn put(&self, key: &str, value: &[u8]) {
        let (name, value) = (local_name(key), secret_value(value));
        let versions = self.0.versions(&name).await;
        let newest = versions.ok().and_then(|versions| versions.last().copied());
        let expected = newest.map_or(Expected::Absent, Expected::Version);
        let put = self.0.put(&name, &value, expected, Timestamp::UNIX_EPOCH);
        assert!(matches!(put.await, Ok(PutOutcome::Stored(_))));
    }

    async fn delete(&self, key: &str) {
        assert!(matches!(self.0.delete(&local_name(key)).await, Ok(true)));
    }

    fn newest(&self, key: &str) -> SecretRef {
        SecretRef::Local(LocalRef::new(local_name(key), None))
    }

    fn holds_bytes(&self) -> bool {
        true
    }

    fn longest(&self) -> usize {
        SecretValue::MAX_LEN
    }
}

impl<S: SecretStore> VersionedStand for StoreStand<S> {
    fn at(&self, key: &str, version: &SourceVersion) -> SecretRef {
        SecretRef::Local(LocalRef::new(local_name(key), version.number()))
    }

    fn unknown(&self) -> SourceVersion {
        let far = crate::domain::SecretVersion::new(u64::MAX);
        far.map_or_else(|| unreachable!("not zero"), SourceVersion::from)
    }
}

fn local_name(key: &str) -> SecretName {
    let Ok(name) = key.parse() else {
        unreachable!("keys are names")
    };
    name
}

fn secret_value(bytes: &[u8]) -> SecretValue {
    let Ok(value) = SecretValue::new(bytes.to_vec()) else {
        unreachable!("values are within the bounds")
    };
    value
}

async fn read(stand: &impl ProviderStand, key: &str) -> Result<Option<Secret>, SecretError> {
    stand.provider().read(&stand.newest(key)).await
}

/// Asserts what a read gave, without printing it.
fn assert_holds(secret: Option<&Secret>, bytes: &[u8]) {
    let holds = secret.is_some_and(|secret| secret.value.expose_secret() == bytes);
    assert!(holds, "not the value that was stored");
}

/// A key never written reads as none, whatever stands beside it.
pub async fn an_absent_secret_is_none(stand: &impl ProviderStand) -> Done {
    assert!(read(stand, "absent").await?.is_none());
    stand.put("absentminded", b"x").await;
    assert!(read(stand, "absent").await?.is_none());
    Ok(())
}

/// After each write the next read gives what was written.
pub async fn the_newest_value_is_read(stand: &impl ProviderStand) -> Done {
    for value in ["one", "two", "one"] {
        stand.put("key", value.as_bytes()).await;
        assert_holds(read(stand, "key").await?.as_ref(), value.as_bytes());
    }
    Ok(())
}

/// Any text, any bytes if the source has them, and the longest value come back as they were.
pub async fn a_value_comes_back_byte_for_byte(stand: &impl ProviderStand) -> Done {
    let text = " \t\r\n\"\\/'{}[]#%&<>\u{7f}\u{e9}\u{20ac}\u{1f600}\n".as_bytes();
    let longest = vec![b'x'; stand.longest()];
    let mut values = vec![text.to_vec(), longest, b"{\"a\":1}".to_vec(), b"0".to_vec()];
    if stand.holds_bytes() {
        values.push((0..=255).collect());
        values.push(vec![0]);
    }
    for value in values {
        stand.put("key", &value).await;
        assert_holds(read(stand, "key").await?.as_ref(), &value);
    }
    Ok(())
}

/// A key that is taken away reads as none at once, and can be written again.
pub async fn a_deleted_secret_is_none_at_the_next_read(stand: &impl ProviderStand) -> Done {
    stand.put("key", b"one").await;
    assert_holds(read(stand, "key").await?.as_ref(), b"one");
    stand.delete("key").await;
    assert!(read(stand, "key").await?.is_none());
    stand.put("key", b"two").await;
    assert_holds(read(stand, "key").await?.as_ref(), b"two");
    Ok(())
}

/// Reads without a write between them give the same value and version.
pub async fn repeated_reads_agree(stand: &impl ProviderStand) -> Done {
    stand.put("key", b"one").await;
    stand.put("key", b"two").await;
    let first = read(stand, "key").await?;
    for _ in 0..3 {
        let next = read(stand, "key").await?;
        assert_holds(next.as_ref(), b"two");
        let version = |secret: &Option<Secret>| secret.as_ref().map(|s| s.version.clone());
        assert_eq!(version(&first), version(&next));
    }
    Ok(())
}

/// A reference of another scheme is an error, not an absent secret.
pub async fn other_schemes_are_not_served(stand: &impl ProviderStand) -> Done {
    let all = [
        "env://A",
        "file:///a",
        "vault://kv/a#b",
        "awssm://a",
        "local://a",
    ];
    let mut refused = 0;
    for text in all {
        let Ok(reference) = text.parse::<SecretRef>() else {
            unreachable!("a constant of this file")
        };
        if reference.scheme() != stand.provider().scheme() {
            let read = stand.provider().read(&reference).await;
            let scheme = reference.scheme();
            assert!(
                matches!(read, Err(SecretError::Unserved { scheme: told }) if told == scheme),
                "{text}"
            );
            refused += 1;
        }
    }
    assert_eq!(refused, all.len() - 1);
    Ok(())
}

/// Neither the provider nor what it reads prints a value (SEC-1).
pub async fn nothing_shows_a_value(stand: &impl ProviderStand) -> Done {
    stand.put("key", MARKER.as_bytes()).await;
    assert_holds(read(stand, "key").await?.as_ref(), MARKER.as_bytes());
    let references = [stand.newest("key"), stand.newest("absent")];
    assert_eq!(
        canary::sec_1(stand.provider(), MARKER, &references).await,
        3
    );
    Ok(())
}

/// Each write is a version of its own, which stays readable by its name.
pub async fn a_version_is_read_by_its_own_name(stand: &impl VersionedStand) -> Done {
    let mut versions = Vec::new();
    for value in ["one", "two", "tri"] {
        stand.put("key", value.as_bytes()).await;
        let version = read(stand, "key").await?.and_then(|secret| secret.version);
        versions.push((version, value));
    }
    for (at, (version, value)) in versions.iter().enumerate() {
        let Some(version) = version else {
            unreachable!("a source of versions says which it gave")
        };
        let again = versions
            .iter()
            .take(at)
            .any(|(v, _)| v.as_ref() == Some(version));
        assert!(!again, "two writes are one version");
        let secret = stand.provider().read(&stand.at("key", version)).await?;
        assert_holds(secret.as_ref(), value.as_bytes());
        assert_eq!(
            secret.and_then(|secret| secret.version).as_ref(),
            Some(version)
        );
    }
    Ok(())
}

/// A version that was never written reads as none, not as the newest.
pub async fn a_version_that_is_not_there_is_none(stand: &impl VersionedStand) -> Done {
    let unknown = |key| stand.at(key, &stand.unknown());
    assert!(stand.provider().read(&unknown("key")).await?.is_none());
    stand.put("key", b"one").await;
    assert!(stand.provider().read(&unknown("key")).await?.is_none());
    Ok(())
}

/// After a deletion no version can be read.
pub async fn a_deleted_secret_has_no_versions(stand: &impl VersionedStand) -> Done {
    stand.put("key", b"one").await;
    let version = read(stand, "key").await?.and_then(|secret| secret.version);
    let Some(version) = version else {
        unreachable!("a source of versions says which it gave")
    };
    stand.put("key", b"two").await;
    stand.delete("key").await;
    let secret = stand.provider().read(&stand.at("key", &version)).await?;
    assert!(secret.is_none());
    Ok(())
}
