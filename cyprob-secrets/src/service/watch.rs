//! Noticing that a secret was rotated.

use std::hash::{BuildHasher as _, RandomState};

use secrecy::ExposeSecret as _;
use tokio::sync::watch::{self, Receiver, Sender};

use super::SecretReader;
use crate::domain::{SecretRef, SourceVersion};
use crate::ports::SecretError;

/// What a watch knows of a secret: never its value, which is to be read anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// Its source was out of reach since the watch began.
    #[default]
    Unknown,
    /// It is there.
    Current {
        /// How many other values it had since the watch began.
        count: u64,
        /// Its version, where its source has versions.
        version: Option<SourceVersion>,
    },
    /// It is not there, or its source does not give it to us any more.
    Withdrawn,
}

/// Tells when a secret is rotated; as long as one is held, the secret is kept fresh.
///
/// An outage of the source changes nothing. What happens between two looks, a
/// fifth of the time for which secrets are fresh apart, is told as one change.
#[derive(Clone, Debug)]
pub struct RotationWatch {
    told: Receiver<Rotation>,
}

impl RotationWatch {
    /// What is known now.
    #[must_use]
    pub fn current(&self) -> Rotation {
        self.told.borrow().clone()
    }

    /// Waits until something else is known than what this watch told last; the first call tells what is known first.
    ///
    /// It may be given up and called again: nothing is missed but what was over meanwhile.
    pub async fn changed(&mut self) -> Rotation {
        if self.told.changed().await.is_err() {
            // The runtime ends, and whoever looked with it: nothing more is told.
            std::future::pending::<()>().await;
        }
        self.told.borrow_and_update().clone()
    }
}

impl SecretReader {
    /// Watches a secret; it is read in the background, through memory, as by any other reader.
    ///
    /// It must be called within a Tokio runtime.
    ///
    /// ```
    /// # use cyprob_secrets::domain::SecretRef;
    /// # use cyprob_secrets::service::SecretReader;
    /// async fn follow(reader: SecretReader, password: SecretRef) {
    ///     let mut rotations = reader.watch(&password);
    ///     loop {
    ///         rotations.changed().await;
    ///         let _now = reader.read(&password).await;
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn watch(&self, reference: &SecretRef) -> RotationWatch {
        let (tell, told) = watch::channel(Rotation::Unknown);
        tokio::spawn(look(self.clone(), reference.clone(), tell));
        RotationWatch { told }
    }
}

async fn look(reader: SecretReader, reference: SecretRef, tell: Sender<Rotation>) {
    let every = reader.keeping().fresh() / 5;
    // Of a value nothing is kept but a hash under a key of this watch's own.
    let hasher = RandomState::new();
    let mut last: Option<(Option<SourceVersion>, u64)> = None;
    let mut count = 0;
    loop {
        match reader.read(&reference).await {
            Ok(Some(served)) => {
                let version = served.version().cloned();
                let value = hasher.hash_one(served.secret().value.expose_secret());
                drop(served);
                // Where there are no versions only the bytes tell.
                let now = Some((version.clone(), value));
                count += u64::from(last.is_some() && last != now);
                last = now;
                told(&tell, Rotation::Current { count, version });
            }
            Ok(None) => told(&tell, Rotation::Withdrawn),
            Err(SecretError::Unavailable { .. }) => {}
            Err(_) => told(&tell, Rotation::Withdrawn),
        }
        tokio::select! {
            () = tell.closed() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

fn told(tell: &Sender<Rotation>, now: Rotation) {
    tell.send_if_modified(|known| {
        let changed = *known != now;
        *known = now;
        changed
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use cyprob_core::testkit::ManualClock;

    use super::*;
    use crate::domain::{Keeping, SecretVersion};
    use crate::service::SecretResolver;
    use crate::testkit::scripted::{Act, Scripted};

    struct Stand {
        source: Arc<Scripted>,
        clock: Arc<ManualClock>,
        rotations: RotationWatch,
    }

    fn stand(acts: impl IntoIterator<Item = Act>) -> Stand {
        let source = Arc::new(Scripted::new(acts, Duration::from_millis(10)));
        let clock = Arc::new(ManualClock::default());
        let sources = SecretResolver::new()
            .with(Arc::clone(&source) as _)
            .unwrap();
        let keeping = Keeping::new(Duration::from_secs(100), Duration::from_secs(1_000)).unwrap();
        let reader = SecretReader::new(sources, keeping, Arc::clone(&clock) as _);
        Stand {
            rotations: reader.watch(&"local://a".parse().unwrap()),
            source,
            clock,
        }
    }

    fn current(count: u64, version: u64) -> Rotation {
        let version = SecretVersion::new(version).map(Into::into);
        Rotation::Current { count, version }
    }

    impl Stand {
        /// Lets time pass, in steps that the watch and the background notice.
        async fn pass(&self, seconds: u64) {
            for _ in 0..seconds / 5 {
                self.clock.advance(Duration::from_secs(5));
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_value_is_told_once() {
        let mut stand = stand([Act::Give(1)]);
        assert_eq!(stand.rotations.current(), Rotation::Unknown);
        assert_eq!(stand.rotations.changed().await, current(0, 1));
        stand.pass(1_000).await;
        let quiet = tokio::time::timeout(Duration::from_secs(1), stand.rotations.changed());
        assert!(quiet.await.is_err());
        stand.source.now([Act::Give(2)]);
        stand.pass(200).await;
        assert_eq!(stand.rotations.changed().await, current(1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn without_versions_the_value_tells() {
        let mut stand = stand([Act::Unversioned(1)]);
        assert_eq!(stand.rotations.changed().await, current(0, 0));
        stand.pass(1_000).await;
        assert_eq!(stand.rotations.current(), current(0, 0));
        stand.source.now([Act::Unversioned(2)]);
        stand.pass(200).await;
        assert_eq!(stand.rotations.changed().await, current(1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_no_rotation_and_a_withdrawal_is_told() {
        let mut stand = stand([Act::Fail, Act::Give(1)]);
        stand.pass(100).await;
        assert_eq!(stand.rotations.changed().await, current(0, 1));
        stand.source.now([Act::Fail]);
        stand.pass(3_000).await;
        assert_eq!(stand.rotations.current(), current(0, 1));
        stand.source.now([Act::Refuse]);
        stand.pass(200).await;
        assert_eq!(stand.rotations.changed().await, Rotation::Withdrawn);
        stand.source.now([Act::Give(1)]);
        stand.pass(200).await;
        assert_eq!(stand.rotations.changed().await, current(0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_looks_for_nobody() {
        let stand = stand([Act::Give(1)]);
        stand.pass(100).await;
        let Stand {
            source,
            clock,
            rotations,
        } = stand;
        drop(rotations);
        let asked = source.asked();
        for _ in 0..100 {
            clock.advance(Duration::from_secs(60));
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        assert_eq!(source.asked(), asked);
    }
}
