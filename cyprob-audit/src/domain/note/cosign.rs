//! Cosignatures of witnesses (C2SP tlog-cosignature, Ed25519 `cosignature/v1`).

use cyprob_core::domain::Timestamp;

use super::VerifierKey;

/// The message that a witness signs.
pub(super) fn message(time: u64, checkpoint_text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{checkpoint_text}")
}

/// The time of a valid cosignature of the text; `None` if it is not valid.
pub(super) fn time_of(key: &VerifierKey, text: &str, signature: &[u8]) -> Option<Timestamp> {
    let (time, signature) = signature.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    let seconds = i64::try_from(time).ok()?;
    key.verifies(message(time, text).as_bytes(), signature)
        .then(|| Timestamp::from_seconds(seconds))
}
