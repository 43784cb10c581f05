//! Why a command on secrets did not do what it was asked to.

use cyprob::secrets::domain::{SecretName, SecretRefError, SecretValueError, SecretVersion};
use cyprob::secrets::ports::SecretError;

use crate::cli::Exit;

/// Why a command on secrets did not do what it was asked to; it never has the value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretsError {
    /// The name or reference is none.
    #[error("{0}; names are like `db/password`, references like `file:///run/secrets/db`")]
    Reference(#[from] SecretRefError),
    /// There is no such secret.
    #[error("there is no such secret: {0}")]
    Absent(String),
    /// A name of the deployment's own keys.
    #[error(
        "{0} is a key of the deployment itself: say --deployment-keys if you mean it, or rotate it with `cyprob admin keys`"
    )]
    DeploymentKey(SecretName),
    /// The value would be on the screen.
    #[error("standard output is a terminal: send the value elsewhere, or say --reveal to show it")]
    Shown,
    /// The value is none.
    #[error(transparent)]
    Value(#[from] SecretValueError),
    /// The two values that were typed differ.
    #[error("the two values differ; nothing is stored")]
    Differ,
    /// The one at the terminal gave up.
    #[error("nothing is stored")]
    GivenUp,
    /// Another version is the newest.
    #[error("nothing is stored: {}", newest(*.0))]
    Conflict(Option<SecretVersion>),
    /// The store or another source.
    #[error(transparent)]
    Source(#[from] SecretError),
    /// The doctor found something.
    #[error("refused: {0}; each line above names its remedy")]
    Refused(usize),
    /// The audit trail would not tell of it.
    #[error("it cannot be noted for the audit trail, so it is not done")]
    NotNoted(#[source] std::io::Error),
    /// A line cannot be read or written.
    #[error("the system refused")]
    System(#[from] std::io::Error),
}

fn newest(version: Option<SecretVersion>) -> String {
    match version {
        None => "there is no value yet; leave --expect-version out".to_owned(),
        Some(version) => {
            format!(
                "version {version} is the newest; say --expect-version {version} to put the next"
            )
        }
    }
}

impl SecretsError {
    /// The status that the command ends with.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Source(SecretError::Unavailable { .. }) | Self::NotNoted(_) | Self::System(_) => {
                Exit::Unavailable
            }
            Self::Source(SecretError::Damaged { .. }) | Self::Refused(_) => Exit::Findings,
            _ => Exit::BadInput,
        }
    }
}
