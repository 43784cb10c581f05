//! Second factors.

use cyprob_core::domain::{RecoveryCode, SecondFactor};
use cyprob_core::service::NewFactor;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TokenPair;

/// `POST me/totp`: the present factor of one who has one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeginFactorRequest {
    #[schema(value_type = Option<String>)]
    pub(crate) totp: Option<SecretString>,
}

/// `POST me/totp/confirm`: six digits of the new application.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmFactorRequest {
    #[schema(value_type = String)]
    pub(crate) code: SecretString,
}

/// `DELETE me/totp`: the factor and the password once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveFactorRequest {
    #[schema(value_type = String)]
    pub(crate) password: SecretString,
    #[schema(value_type = String)]
    pub(crate) totp: SecretString,
}

/// `GET me/totp`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FactorAnswer {
    active: bool,
    activated_at: Option<String>,
    recovery_codes_left: u32,
}

impl FactorAnswer {
    pub(crate) fn of(factor: Option<&SecondFactor>) -> Self {
        Self {
            active: factor.is_some(),
            activated_at: factor.map(|factor| factor.activated_at.to_string()),
            recovery_codes_left: factor.map_or(0, |factor| factor.recovery_codes_left),
        }
    }
}

/// A factor that is being set up.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewFactorAnswer {
    secret: String,
    otpauth_uri: String,
    expires_at: String,
}

impl NewFactorAnswer {
    pub(crate) fn of(new: &NewFactor, issuer: &str) -> Self {
        let uri = new.secret.uri(issuer, new.account.as_str());
        Self {
            secret: new.secret.base32().expose_secret().to_owned(),
            otpauth_uri: uri.expose_secret().to_owned(),
            expires_at: new.expires_at.to_string(),
        }
    }
}

/// Recovery codes, shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodesAnswer {
    recovery_codes: Vec<String>,
}

impl RecoveryCodesAnswer {
    pub(crate) fn new(codes: &[RecoveryCode]) -> Self {
        Self {
            recovery_codes: texts(codes),
        }
    }
}

/// A factor that has come into force; the tokens where the session goes on, if they could be minted.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActivatedFactorAnswer {
    recovery_codes: Vec<String>,
    tokens: Option<TokenPair>,
}

impl ActivatedFactorAnswer {
    pub(crate) fn new(codes: &[RecoveryCode], tokens: Option<TokenPair>) -> Self {
        Self {
            recovery_codes: texts(codes),
            tokens,
        }
    }
}

fn texts(codes: &[RecoveryCode]) -> Vec<String> {
    codes
        .iter()
        .map(|code| code.text().expose_secret().to_owned())
        .collect()
}
