//! Rotations while others read and write, and what every store must do between them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;
use crate::ports::Listed;

/// A shared lock that is always held by somebody keeps writers waiting.
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

#[test]
fn readers_and_writers_notice_no_rotation() {
    let place = Place::new();
    put(&place.open().unwrap(), "still", "here", 0);
    let over = AtomicBool::new(false);
    let (written, read) = std::thread::scope(|scope| {
        let writers: Vec<_> = ["a", "b"]
            .map(|of| {
                let (place, over) = (&place, &over);
                scope.spawn(move || {
                    let store = place.open().unwrap();
                    let mut newest = 0;
                    while !over.load(Ordering::SeqCst) {
                        let stored = put(&store, of, &newest.to_string(), newest);
                        assert!(matches!(stored, PutOutcome::Stored(_)), "{stored:?}");
                        newest += 1;
                        pause();
                    }
                    newest
                })
            })
            .into();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let store = place.open().unwrap();
                    let mut reads = 0;
                    while !over.load(Ordering::SeqCst) {
                        assert_eq!(get(&store, "still", 0).unwrap().unwrap(), "here");
                        get(&store, "a", 0).unwrap();
                        reads += 1;
                        pause();
                    }
                    reads
                })
            })
            .collect();
        let rotaters: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let store = place.open().unwrap();
                    for _ in 0..3 {
                        reencrypt(&store).unwrap();
                        rewrap(&store).unwrap();
                    }
                })
            })
            .collect();
        let rotated: Vec<_> = rotaters.into_iter().map(|r| r.join()).collect();
        // Also after a panic, or the others would go on for ever.
        over.store(true, Ordering::SeqCst);
        assert!(rotated.iter().all(Result::is_ok));
        let written: Vec<u64> = writers.into_iter().map(|w| w.join().unwrap()).collect();
        let reads: Vec<u64> = readers.into_iter().map(|r| r.join().unwrap()).collect();
        (written, reads)
    });
    assert!(written.iter().chain(&read).all(|count| *count > 3));
    let store = place.open().unwrap();
    for (of, newest) in ["a", "b"].into_iter().zip(written) {
        for version in 1..=newest {
            let value = get(&store, of, version).unwrap().unwrap();
            assert_eq!(value, (version - 1).to_string());
        }
    }
}

/// A handle whose store another one rotates before every call.
#[derive(Debug)]
struct Rotated {
    store: LocalStore,
    other: LocalStore,
}

impl Rotated {
    async fn rotate(&self) -> Result<&LocalStore, SecretError> {
        self.other.rewrap(random_master_key(&SystemEntropy)).await?;
        self.other.reencrypt().await?;
        Ok(&self.store)
    }
}

#[async_trait]
impl SecretProvider for Rotated {
    fn scheme(&self) -> Scheme {
        self.store.scheme()
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        self.rotate().await?.read(reference).await
    }
}

#[async_trait]
impl SecretStore for Rotated {
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        let store = self.rotate().await?;
        store.put(name, value, expected, at).await
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        self.rotate().await?.delete(name).await
    }

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        self.rotate().await?.delete_before(name, version).await
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        self.rotate().await?.list(below).await
    }

    async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
        self.rotate().await?.taken(below).await
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        self.rotate().await?.names().await
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        self.rotate().await?.versions(name).await
    }
}

crate::secret_store_conformance!(|| {
    let place = Place::new();
    let (store, other) = (place.open().unwrap(), place.open().unwrap());
    (Rotated { store, other }, place)
});
