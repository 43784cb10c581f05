//! Changes in whose middle something happens in the store itself.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::domain::Scheme;
use crate::ports::{Listed, PutOutcome, Secret, SecretError, SecretProvider};

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
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

#[derive(Debug)]
struct Odd {
    inner: MemoryStore,
    next: Mutex<Next>,
}

impl Odd {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryStore::new(),
            next: Mutex::new(Next::Nothing),
        })
    }

    fn then(&self, next: Next) {
        *self.next.lock().unwrap() = next;
    }

    fn next(&self) -> Next {
        *self.next.lock().unwrap()
    }
}

#[async_trait]
impl SecretProvider for Odd {
    fn scheme(&self) -> Scheme {
        self.inner.scheme()
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        self.inner.read(reference).await
    }
}

#[async_trait]
impl SecretStore for Odd {
    async fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        expected: Expected,
        at: Timestamp,
    ) -> Result<PutOutcome, SecretError> {
        let is_note = name.as_str().starts_with("orgs.changes");
        match self.next() {
            Next::NotesStay if is_note => Err(SecretError::unavailable("injected")),
            Next::Overtaken if !is_note => {
                self.then(Next::NotesStay);
                self.inner.put(name, value, expected, at).await?;
                self.inner.put(name, value, expected, at).await
            }
            _ => self.inner.put(name, value, expected, at).await,
        }
    }

    async fn delete(&self, name: &SecretName) -> Result<bool, SecretError> {
        if self.next() == Next::CutOff {
            self.then(Next::HalfDeleted);
            return Err(SecretError::unavailable("injected"));
        }
        let deleted = self.inner.delete(name).await;
        self.then(Next::Nothing);
        deleted
    }

    async fn delete_before(
        &self,
        name: &SecretName,
        version: SecretVersion,
    ) -> Result<(), SecretError> {
        self.inner.delete_before(name, version).await
    }

    async fn list(&self, below: &SecretName) -> Result<Vec<Listed>, SecretError> {
        self.inner.list(below).await
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

#[tokio::test]
async fn a_deletion_that_was_cut_off_in_the_store_is_finished_with_its_event() {
    let (stand, odd) = (Stand::new(), Odd::new());
    let secrets = stand.process_over(Arc::clone(&odd) as _);
    let (acme, a) = (ctx(ACME), name("a"));
    secrets.put(&acme, &a, &value("x"), None).await.unwrap();
    odd.then(Next::CutOff);
    let cut = secrets.delete(&acme, &a).await;
    assert!(matches!(cut, Err(OrgSecretError::Secrets(_))), "{cut:?}");
    let first: SecretRef = format!("local://orgs/{ACME}/a?version=1").parse().unwrap();
    assert!(odd.read(&first).await.unwrap().is_some());
    assert_eq!(secrets.settle().await.unwrap(), 1);
    assert!(odd.read(&first).await.unwrap().is_none());
    let events = stand.events().await;
    let told: Vec<_> = events.iter().map(|event| event.action).collect();
    assert_eq!(told, [Action::SecretStored, Action::SecretDeleted]);
    assert_eq!(secrets.settle().await.unwrap(), 0);
}

#[tokio::test]
async fn a_change_that_was_refused_is_no_outage_though_its_note_stays() {
    let (stand, odd) = (Stand::new(), Odd::new());
    let secrets = stand.process_over(Arc::clone(&odd) as _);
    let (acme, a) = (ctx(ACME), name("a"));
    secrets.put(&acme, &a, &value("x"), None).await.unwrap();
    odd.then(Next::Overtaken);
    let refused = secrets.put(&acme, &a, &value("y"), None).await;
    match refused {
        Err(OrgSecretError::Conflict(newest)) => assert_eq!(newest, Some(version(2))),
        other => panic!("{other:?}"),
    }
    assert_eq!(odd.next(), Next::NotesStay, "the note was not taken away");
    odd.then(Next::Nothing);
}
