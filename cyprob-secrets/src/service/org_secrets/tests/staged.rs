//! A store that is slow, and in whose middle something happens.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::domain::Scheme;
use crate::ports::{Listed, PutOutcome, Secret, SecretError, SecretProvider};

/// How many names a list looks up at once.
const LOOKED_UP: u32 = 16;

/// What happens next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Next {
    #[default]
    Nothing,
    /// A deletion is cut off in its middle.
    CutOff,
    /// It was: there is no newest version, and the values can be read by their numbers.
    HalfDeleted,
    /// An operator writes a secret right before it is written.
    Overtaken,
    /// No note is put or taken away.
    NotesStay,
}

/// Does what it was told though nobody waits for it any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Staged {
    inner: Arc<MemoryStore>,
    /// How long each call takes.
    each: Duration,
    /// How long a write or deletion of a secret takes.
    change: Arc<Mutex<Duration>>,
    next: Arc<Mutex<Next>>,
}

fn is_note(name: &SecretName) -> bool {
    name.as_str().starts_with("orgs.changes")
}

impl Staged {
    /// The same store, in which each call takes so long.
    pub(super) fn slower(&self, each: Duration) -> Self {
        Self {
            each,
            ..self.clone()
        }
    }

    pub(super) fn changes_take(&self, seconds: u64) {
        *self.change.lock().unwrap() = Duration::from_secs(seconds);
    }

    pub(super) fn then(&self, next: Next) {
        *self.next.lock().unwrap() = next;
    }

    pub(super) fn next(&self) -> Next {
        *self.next.lock().unwrap()
    }

    async fn run<T: Send + 'static>(
        &self,
        takes: Duration,
        call: impl Future<Output = Result<T, SecretError>> + Send + 'static,
    ) -> Result<T, SecretError> {
        let running = tokio::spawn(async move {
            tokio::time::sleep(takes).await;
            call.await
        });
        running.await.unwrap()
    }

    fn change_of(&self, name: &SecretName) -> Duration {
        let change = *self.change.lock().unwrap();
        if is_note(name) { self.each } else { change }
    }
}

#[async_trait]
impl SecretProvider for Staged {
    fn scheme(&self) -> Scheme {
        self.inner.scheme()
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let (inner, reference) = (Arc::clone(&self.inner), reference.clone());
        self.run(self.each, async move { inner.read(&reference).await })
            .await
    }
}

#[async_trait]
impl SecretStore for Staged {
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        match self.next() {
            Next::NotesStay if is_note(name) => return Err(SecretError::unavailable("injected")),
            Next::Overtaken if !is_note(name) => {
                self.then(Next::NotesStay);
                self.inner.put(name, value, expected, at).await?;
            }
            _ => {}
        }
        let (inner, name, value) = (Arc::clone(&self.inner), name.clone(), value.clone());
        let takes = self.change_of(&name);
        self.run(takes, async move {
            inner.put(&name, &value, expected, at).await
        })
        .await
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        match self.next() {
            Next::CutOff => {
                self.then(Next::HalfDeleted);
                return Err(SecretError::unavailable("injected"));
            }
            _ => self.then(Next::Nothing),
        }
        let (inner, name) = (Arc::clone(&self.inner), name.clone());
        let takes = self.change_of(&name);
        self.run(takes, async move { inner.delete(&name).await })
            .await
    }

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        self.inner.delete_before(name, version).await
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        let listed = self.inner.list(below).await?;
        let names = u32::try_from(listed.len()).unwrap();
        tokio::time::sleep(self.each * names / LOOKED_UP).await;
        Ok(listed)
    }

    async fn taken(&self, below: &SecretName) -> Result<Vec<SecretName>, SecretError> {
        self.inner.taken(below).await
    }

    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        self.inner.names().await
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretVersion>, SecretError> {
        match self.next() {
            Next::HalfDeleted => Ok(Vec::new()),
            _ => self.inner.versions(name).await,
        }
    }
}
