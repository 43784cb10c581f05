//! Keys under which requests for runs come again.

use std::collections::BTreeSet;

use cyprob_core::domain::audit::Actor;
use cyprob_core::domain::{ServiceAccountId, Tag, UserId};
use sha2::{Digest as _, Sha256};

use super::{Digest, FactSet, PluginId, Value};

/// Who asks for a run: the person, or the machine that acts in somebody's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    /// A person.
    Person(UserId),
    /// A service account.
    Service(ServiceAccountId),
}

impl Requester {
    /// The service account that acts, else the person who answers for the run.
    #[must_use]
    pub const fn of(actor: &Actor, answers: UserId) -> Self {
        match actor {
            Actor::Service { id, .. } => Self::Service(*id),
            _ => Self::Person(answers),
        }
    }
}

/// A key by which a request is known when it comes again.
///
/// It is the requester's own in their organization: the same text of another
/// requester is another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunKey {
    /// Whose it is.
    pub requester: Requester,
    /// Its text, which the requester chose.
    pub text: String,
    /// The digest of what is asked for under it.
    pub request: Digest,
}

/// The digest of what a request asks for, however it is written.
///
/// Plugins are those that it names, in any order, and none if it leaves the
/// choice; facts are as they were read, so that neither spaces nor the order of
/// JSON members count. The order of fact sets does: findings come in it.
pub(crate) fn request_digest(
    plugins: Option<&[PluginId]>,
    tags: &BTreeSet<Tag>,
    sets: &[FactSet],
) -> Digest {
    let mut fed = Fed(Sha256::new());
    fed.bytes(b'r', b"cyprob run request 1");
    if let Some(named) = plugins {
        let named: BTreeSet<&str> = named.iter().map(PluginId::as_str).collect();
        fed.list(b'p', named, |fed, id| fed.bytes(b's', id.as_bytes()));
    }
    fed.list(b'g', tags, |fed, tag| {
        fed.bytes(b's', tag.as_str().as_bytes());
    });
    fed.list(b'f', sets, |fed, set| {
        fed.bytes(b's', set.target().as_bytes());
        fed.list(b'o', set.port(), |fed, port| {
            fed.bytes(b'i', &port.to_be_bytes());
        });
        fed.list(b'm', set.iter(), |fed, (key, value)| {
            fed.bytes(b's', key.as_bytes());
            fed.value(value);
        });
    });
    Digest::from_bytes(fed.0.finalize().into())
}

/// A hash that is fed with typed parts: each begins with its type and its length, so no two runs of
/// parts feed it alike.
struct Fed(Sha256);

impl Fed {
    fn head(&mut self, kind: u8, length: usize) {
        self.0.update([kind]);
        self.0.update((length as u64).to_be_bytes());
    }

    fn bytes(&mut self, kind: u8, bytes: &[u8]) {
        self.head(kind, bytes.len());
        self.0.update(bytes);
    }

    fn list<T>(
        &mut self,
        kind: u8,
        items: impl IntoIterator<Item = T>,
        mut feed: impl FnMut(&mut Self, T),
    ) {
        let mut count = 0;
        for item in items {
            count += 1;
            feed(self, item);
        }
        // Behind them, as a machine with a stack would read it: that is one-to-one too.
        self.head(kind, count);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.head(b'n', 0),
            Value::Bool(truth) => self.bytes(b'b', &[u8::from(*truth)]),
            Value::Int(number) => self.bytes(b'i', &number.to_be_bytes()),
            Value::Uint(number) => self.bytes(b'u', &number.to_be_bytes()),
            Value::Float(number) => self.bytes(b'd', &number.to_bits().to_be_bytes()),
            Value::String(text) => self.bytes(b's', text.as_bytes()),
            Value::Time(time) => self.bytes(b't', time.as_written().as_bytes()),
            Value::List(items) => self.list(b'l', items, Self::value),
            Value::Map(map) => self.list(b'm', map.entries(), |fed, (key, value)| {
                fed.value(&key.to_value());
                fed.value(value);
            }),
        }
    }
}
