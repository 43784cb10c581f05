//! As whom secrets are read.

use std::path::PathBuf;

use secrecy::SecretString;

use super::AwsConfigError;

/// Whose credentials sign the reads.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AwsCredentials {
    /// Keys that are given, for hosts that AWS does not know and for tests.
    Keys(AwsKeys),
    /// The role of a pod on EKS, or of any other bearer of a web identity.
    WebIdentity(AwsWebIdentity),
    /// Whatever AWS's own chain finds: environment, profile, container, instance.
    ///
    /// It reads the environment's variables and the files of the user's profile,
    /// so what it finds depends on more than this configuration.
    StandardChain,
}

/// An access key; `Debug` prints its id alone.
#[derive(Clone, Debug)]
pub struct AwsKeys {
    pub(super) id: String,
    pub(super) secret: SecretString,
    pub(super) session_token: Option<SecretString>,
}

/// A role that is taken with a token in a file, as IAM roles for service accounts do.
///
/// The file is read whenever new credentials are due, so its token may change.
#[derive(Clone, Debug)]
pub struct AwsWebIdentity {
    pub(super) role: String,
    pub(super) session: String,
    pub(super) token_file: PathBuf,
}

impl AwsKeys {
    /// Keys for as long as they are valid.
    #[must_use]
    pub fn new(id: &str, secret: SecretString) -> Self {
        Self {
            id: id.to_owned(),
            secret,
            session_token: None,
        }
    }

    /// Adds the token that keys of a session need.
    #[must_use]
    pub fn with_session_token(mut self, token: SecretString) -> Self {
        self.session_token = Some(token);
        self
    }
}

impl AwsWebIdentity {
    /// Takes a role, by its ARN, as a session of this name.
    ///
    /// # Errors
    ///
    /// [`AwsConfigError::Role`] or `Session` if one of them cannot be.
    pub fn new(role: &str, session: &str, token_file: PathBuf) -> Result<Self, AwsConfigError> {
        let plain = |text: &str, more: &str| {
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let arn = role.starts_with("arn:") && role.contains(":role/") && role.len() <= 2_048;
        if !arn || !plain(role, ":/_+=,.@-") {
            return Err(AwsConfigError::Role);
        }
        if !(2..=64).contains(&session.len()) || !plain(session, "_+=,.@-") {
            return Err(AwsConfigError::Session);
        }
        Ok(Self {
            role: role.to_owned(),
            session: session.to_owned(),
            token_file,
        })
    }
}
