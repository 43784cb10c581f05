//! Writes and deletions that others may make at the same time.
//!
//! The engine checks a write against the number of the last version alone, and
//! a destruction moves no number. So a deletion first writes a version that
//! says that there is no secret any more: whoever wrote meanwhile makes that
//! fail, and it makes theirs fail. Then everything up to it is destroyed. What
//! was cut off between the two is finished by the next write, deletion or look
//! at the versions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use vaultrs::api::kv2::requests::{DestroySecretVersionsRequest, ReadSecretRequest};
use zeroize::Zeroizing;

use super::VaultStore;
use super::endpoints::WriteSecret;
use super::fault::{Complaint, Fault, Outage};
use super::kv::{self, Failure};
use super::places::Place;
use super::versions::Versions;
use crate::domain::{SecretValue, SecretVersion};
use crate::ports::{Expected, PutOutcome, Refusal};

/// How often a write is tried again that others were faster than.
const TRIES: usize = 5;
/// The field of a secret that holds its bytes.
pub(super) const FIELD: &str = "value";
/// What the field `deleted` of a version says where there is no secret any more.
const GONE: &str = "yes";

/// What a version holds.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kept {
    /// The bytes, in base64.
    Value(#[serde(serialize_with = "as_text")] Zeroizing<String>),
    /// When it is no secret, but the end of one.
    Deleted(&'static str),
}

fn as_text<S: serde::Serializer>(text: &Zeroizing<String>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(text)
}

/// Whether these fields say that there is no secret any more, and nothing else: what is not ours
/// in every byte is somebody else's.
pub(super) fn says_gone(fields: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Gone {
        deleted: String,
    }
    serde_json::from_str(fields).is_ok_and(|Gone { deleted }| deleted == GONE)
}

/// What is in a place at the moment.
enum Now {
    /// This version can be read.
    Version(SecretVersion),
    /// There is nothing, and this number was given last.
    Nothing { last: u64 },
}

/// The same with a deletion that was cut off.
enum Seen {
    Version(SecretVersion),
    /// This version says that there is no secret any more; those before it may be there yet.
    End(SecretVersion),
    Nothing {
        last: u64,
    },
}

impl VaultStore {
    pub(super) async fn write(
        &self,
        place: &Place,
        value: &SecretValue,
        expected: Expected,
    ) -> Result<PutOutcome, Failure> {
        for _ in 0..TRIES {
            let (newest, last) = match self.now(place).await? {
                Now::Version(version) => (Some(version), version.get()),
                Now::Nothing { last } => (None, last),
            };
            if newest != expected.version() {
                return Ok(PutOutcome::Conflict(newest));
            }
            let text = Zeroizing::new(BASE64.encode(value.expose_secret()));
            if let Some(version) = self.append(place, Kept::Value(text), last).await? {
                return Ok(PutOutcome::Stored(version));
            }
        }
        Err(Outage::Raced.into())
    }

    pub(super) async fn remove(&self, place: &Place) -> Result<bool, Failure> {
        for _ in 0..TRIES {
            let version = match self.now(place).await? {
                Now::Version(version) => version,
                Now::Nothing { last } => return self.remove_rest(place, last).await,
            };
            let end = Kept::Deleted(GONE);
            if let Some(end) = self.append(place, end, version.get()).await? {
                self.destroy_to(place, end.get()).await?;
                return Ok(true);
            }
        }
        Err(Outage::Raced.into())
    }

    /// Destroys what somebody else's deletion of the newest left readable, or can be undone.
    async fn remove_rest(&self, place: &Place, last: u64) -> Result<bool, Failure> {
        let versions = self.looked_up(place).await?;
        let live = versions.live(self.vault.now());
        let was_there = live.iter().any(|live| live.get() <= last);
        let rest = versions.kept().filter(|kept| *kept <= last).collect();
        self.destroy(place, rest).await?;
        Ok(was_there)
    }

    pub(super) async fn remove_before(
        &self,
        place: &Place,
        version: SecretVersion,
    ) -> Result<(), Fault> {
        let versions = self.looked_up(place).await?;
        let Some(newest) = versions.newest(self.vault.now()) else {
            return Ok(());
        };
        let before = version.min(newest).get();
        let older = versions.kept().filter(|kept| *kept < before).collect();
        self.destroy(place, older).await
    }

    /// The versions that can be read, oldest first; none where the last one cannot.
    ///
    /// What is there at the moment is the server's word; of the older ones this machine's clock
    /// tells, where they have an end.
    pub(super) async fn live(&self, place: &Place) -> Result<Vec<SecretVersion>, Failure> {
        let Now::Version(newest) = self.now(place).await? else {
            return Ok(Vec::new());
        };
        let versions = self.looked_up(place).await?;
        let mut live = versions.live(self.vault.now());
        live.retain(|version| *version < newest);
        live.push(newest);
        Ok(live)
    }

    /// Whether there is a secret at the moment, by the server's word.
    pub(super) async fn is_there(&self, place: &Place) -> Result<bool, Failure> {
        Ok(matches!(self.seen(place).await?, Seen::Version(_)))
    }

    /// What is there, after a deletion that was cut off is finished.
    async fn now(&self, place: &Place) -> Result<Now, Failure> {
        Ok(match self.seen(place).await? {
            Seen::Version(version) => Now::Version(version),
            Seen::Nothing { last } => Now::Nothing { last },
            Seen::End(end) => {
                let last = end.get();
                self.destroy_to(place, last).await?;
                Now::Nothing { last }
            }
        })
    }

    async fn seen(&self, place: &Place) -> Result<Seen, Failure> {
        let read = ReadSecretRequest {
            mount: self.mount(),
            path: self.places.path(place),
            version: None,
        };
        match self.vault.call_in(place.namespace.as_ref(), read).await {
            Err(Fault::Missing { last }) => Ok(Seen::Nothing { last }),
            other => {
                let reply = other?;
                let (Some(fields), Some(metadata)) = kv::versioned(&reply)? else {
                    return Err(Outage::Garbled.into());
                };
                let version = metadata.version()?;
                Ok(match says_gone(fields.get()) {
                    true => Seen::End(version),
                    false => Seen::Version(version),
                })
            }
        }
    }

    /// Writes the version after `last`; nothing if there is one by now.
    async fn append(
        &self,
        place: &Place,
        kept: Kept,
        last: u64,
    ) -> Result<Option<SecretVersion>, Failure> {
        let write = WriteSecret {
            mount: self.mount(),
            path: self.places.path(place),
            data: kept,
            options: json!({"cas": last}),
        };
        match self.vault.call_in(place.namespace.as_ref(), write).await {
            Err(Fault::Rejected(Complaint::Cas)) => Ok(None),
            Err(Fault::Missing { .. }) => Err(Refusal::NoPlace.into()),
            other => Ok(Some(Versions::written(&other?)?)),
        }
    }

    async fn destroy_to(&self, place: &Place, last: u64) -> Result<(), Fault> {
        let versions = self.looked_up(place).await?;
        let up_to = versions.kept().filter(|kept| *kept <= last).collect();
        self.destroy(place, up_to).await
    }

    async fn destroy(&self, place: &Place, versions: Vec<u64>) -> Result<(), Fault> {
        if versions.is_empty() {
            return Ok(());
        }
        let destroy = DestroySecretVersionsRequest {
            mount: self.mount(),
            path: self.places.path(place),
            versions,
        };
        let namespace = place.namespace.as_ref();
        self.vault.call_in(namespace, destroy).await.map(drop)
    }
}
