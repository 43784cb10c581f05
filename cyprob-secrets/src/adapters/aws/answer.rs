//! From an answer of Secrets Manager to a secret.

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_sdk_secretsmanager::primitives::DateTime;
use cyprob_core::domain::Timestamp;
use zeroize::Zeroizing;

use super::failure::{Failure, Outage};
use crate::adapters::json_field::{self, Held};
use crate::domain::{AwsSmRef, SecretValue, SourceVersion, VersionId};
use crate::ports::{Refusal, Secret};

/// The secret that was wanted; none if its object has no such key.
pub(super) fn secret(
    wanted: &AwsSmRef,
    answer: GetSecretValueOutput,
) -> Result<Option<Secret>, Failure> {
    // Wiped whatever comes of it.
    let text = answer.secret_string.map(Zeroizing::new);
    let bytes = answer
        .secret_binary
        .map(|blob| Zeroizing::new(blob.into_inner()));
    let id: VersionId = answer
        .version_id
        .and_then(|id| id.parse().ok())
        .ok_or(Outage::Answer)?;
    let other_version = wanted.version().is_some_and(|wanted| *wanted != id);
    if other_version || answer.name.as_deref() != Some(wanted.name()) {
        return Err(Outage::Answer.into());
    }
    let bytes = match (wanted.key(), text, bytes) {
        (None, Some(mut text), None) => std::mem::take(&mut *text).into_bytes(),
        (None, None, Some(mut bytes)) => std::mem::take(&mut *bytes),
        (Some(key), Some(text), None) => match json_field::held(&text, key) {
            Held::Text(mut value) => std::mem::take(&mut *value).into_bytes(),
            Held::Nothing => return Ok(None),
            Held::Unfit(refusal) => return Err(Failure::Refused(refusal)),
        },
        (Some(_), None, Some(_)) => return Err(Failure::Refused(Refusal::NotAnObject)),
        _ => return Err(Outage::Answer.into()),
    };
    let value = SecretValue::new(bytes).map_err(|error| Failure::Refused(error.into()))?;
    Ok(Some(Secret {
        value,
        version: Some(SourceVersion::Id(id)),
        stored_at: answer.created_date.and_then(timestamp),
    }))
}

fn timestamp(at: DateTime) -> Option<Timestamp> {
    let micros = i64::try_from(at.as_nanos() / 1_000).ok()?;
    Some(Timestamp::from_micros(micros))
}
