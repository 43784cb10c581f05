//! Answers of a Vault, judged by their status.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::fault::{Complaint, Fault, Outage};

/// The body of an answer that says yes; wiped when it drops.
pub(super) struct Reply(Zeroizing<Vec<u8>>);

#[derive(Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<String>,
}

/// What most answers wrap what they say in.
#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

impl Reply {
    pub(super) fn judge(status: u16, body: Zeroizing<Vec<u8>>) -> Result<Self, Fault> {
        Err(match status {
            200..=204 => return Ok(Self(body)),
            400 | 405 => Fault::Rejected(complaint(&body)),
            403 => Fault::Denied,
            404 => Fault::Missing,
            300..=399 | 472 | 473 => Outage::Standby.into(),
            412 => Outage::Behind.into(),
            429 => Outage::Busy.into(),
            503 => Outage::Sealed.into(),
            other => Outage::Status(other).into(),
        })
    }

    /// Reads the body; an error of the reader may quote it and is dropped.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        serde_json::from_slice(&self.0).map_err(|_| Outage::Garbled.into())
    }

    /// Reads what stands under `data`.
    pub(super) fn data<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        self.read::<Data<T>>().map(|whole| whole.data)
    }
}

fn complaint(body: &[u8]) -> Complaint {
    let Ok(Errors { errors }) = serde_json::from_slice(body) else {
        return Complaint::Other;
    };
    let known = errors.iter().map(|text| Complaint::of(text));
    known
        .into_iter()
        .find(|complaint| *complaint != Complaint::Other)
        .unwrap_or(Complaint::Other)
}
