//! The section `[mail]`.

use std::path::PathBuf;

use cyprob::core::domain::Email;
use serde::Deserialize;

/// The server that mail goes through.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mail {
    /// Its name, or its address.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
    /// How the connection is protected.
    pub(crate) security: MailSecurity,
    /// The address that mail comes from.
    pub(crate) from: Email,
    /// A further root certificate (PEM), beside those of the machine.
    pub(crate) root_file: Option<PathBuf>,
    /// Whom to sign in as.
    pub(crate) account: Option<MailAccount>,
    /// How long one message may take, 1 to 300; 30 by default.
    pub(crate) timeout_seconds: Option<u64>,
}

/// Whom to sign in to the mail server as.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailAccount {
    /// The name.
    pub(crate) user: String,
    /// The file that holds the password.
    pub(crate) password_file: PathBuf,
}

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailSecurity {
    /// STARTTLS, or nothing is sent.
    Starttls,
    /// TLS from the first byte.
    Implicit,
    /// None; the host must be a loopback address.
    Loopback,
}
