//! Secrets in requests, and what answers say of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cyprob_secrets::domain::{Alphabet, Drawing, SecretValue, SecretVersion};
use cyprob_secrets::ports::Expected;
use cyprob_secrets::service::OrgSecret;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::http::ApiError;

/// A secret without its value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretAnswer {
    /// Its name; in a path `~` stands for each slash.
    name: String,
    /// Its newest version.
    version: u64,
    /// When that was stored.
    stored_at: Option<String>,
}

impl SecretAnswer {
    pub(crate) fn of(secret: OrgSecret) -> Self {
        Self {
            name: secret.name.to_string(),
            version: secret.version.get(),
            stored_at: secret.stored_at.map(|at| at.to_string()),
        }
    }
}

/// `PUT secrets/{name}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutSecretRequest {
    /// 1 to 65,536 bytes.
    #[schema(value_type = String)]
    value: SecretString,
    /// How they are written: `utf-8`, which they are by default, or `base64` with padding.
    encoding: Option<String>,
    /// The version that the sender has seen, 0 for none: 409 if it is another one by now.
    version: Option<u64>,
}

impl PutSecretRequest {
    /// The value, and what the sender has seen. A refusal repeats nothing of either text.
    pub(crate) fn read(self) -> Result<(SecretValue, Option<Expected>), ApiError> {
        let value = match self.encoding.as_deref() {
            None | Some("utf-8") => SecretValue::from_text(&self.value),
            Some("base64") => SecretValue::new(decoded(&self.value)?),
            Some(_) => return Err(ApiError::field("encoding", "is utf-8 or base64")),
        };
        let value = value.map_err(|_| ApiError::field("value", "is 1 to 65536 bytes"))?;
        Ok((value, seen(self.version)))
    }
}

fn decoded(text: &SecretString) -> Result<Vec<u8>, ApiError> {
    let text = text.expose_secret().as_bytes();
    let mut bytes = Zeroizing::new(vec![0; text.len() / 4 * 3 + 3]);
    let length = STANDARD.decode_slice(text, &mut bytes);
    let length = length.map_err(|_| ApiError::field("value", "is not base64 with padding"))?;
    Ok(bytes.iter().copied().take(length).collect())
}

fn seen(version: Option<u64>) -> Option<Expected> {
    let version = version.map(SecretVersion::new)?;
    Some(version.map_or(Expected::Absent, Expected::Version))
}

/// `POST secrets/{name}/rotate`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSecretRequest {
    /// How many characters, 16 to 128; 32 by default.
    length: Option<usize>,
    /// Which: `alphanumeric`, which they are by default, `url` (with `-` and `_`) or `hex`.
    alphabet: Option<String>,
    /// The version that the sender has seen: 409 if it is another one by now.
    version: Option<u64>,
}

impl RotateSecretRequest {
    pub(crate) fn read(self) -> Result<(Drawing, Option<Expected>), ApiError> {
        let usual = Drawing::default();
        let alphabet = match &self.alphabet {
            None => usual.alphabet(),
            Some(name) => Alphabet::named(name)
                .ok_or_else(|| ApiError::field("alphabet", "is alphanumeric, url or hex"))?,
        };
        let length = self.length.unwrap_or(usual.length());
        let drawing = Drawing::new(length, alphabet);
        let drawing = drawing.ok_or_else(|| ApiError::field("length", "is 16 to 128"))?;
        Ok((drawing, seen(self.version)))
    }
}
