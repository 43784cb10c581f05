//! What carries messages to people, as the configuration says.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cyprob::core::adapters::notifier::{
    FileNotifier, LogNotifier, SmtpError, SmtpNotifier, SmtpOptions, SmtpSecurity,
};
use cyprob::core::domain::BaseUrl;
use cyprob::core::ports::Notifier;

use crate::bounded;
use crate::config::{Config, Mail, MailSecurity};

/// The longest file of a password or of root certificates.
const MAX_BYTES: usize = 1 << 20;

/// The configuration names no way that messages can go.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    /// Links need an address.
    #[error("mail needs public_url: where people open the deployment")]
    NoUrl,
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The server.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
}

fn read(path: &Path) -> Result<Vec<u8>, MailError> {
    bounded::read(path, MAX_BYTES).map_err(|source| MailError::File {
        path: path.to_owned(),
        source,
    })
}

/// Mail, else the file for development, else the log.
pub(crate) fn notifier(config: &Config) -> Result<Arc<dyn Notifier>, MailError> {
    let base = || config.public_url.clone().ok_or(MailError::NoUrl);
    if let Some(mail) = &config.mail {
        return Ok(Arc::new(SmtpNotifier::new(smtp(mail, base()?)?)?));
    }
    match &config.dangerous_message_file {
        Some(path) => {
            tracing::warn!(file = %path.display(), "messages and their tokens go to a file: whoever reads it resets passwords");
            Ok(Arc::new(FileNotifier::dangerous(path, base()?)))
        }
        None => Ok(Arc::new(LogNotifier)),
    }
}

fn smtp(mail: &Mail, base: BaseUrl) -> Result<SmtpOptions, MailError> {
    let security = match mail.security {
        MailSecurity::Starttls => SmtpSecurity::StartTls,
        MailSecurity::Implicit => SmtpSecurity::ImplicitTls,
        MailSecurity::Loopback => SmtpSecurity::Loopback,
    };
    let server = (mail.host.as_str(), mail.port);
    let mut options = SmtpOptions::new(server, security, mail.from.clone(), base);
    if let Some(seconds) = mail.timeout_seconds {
        options = options.with_timeout(Duration::from_secs(seconds.clamp(1, 300)));
    }
    if let Some(path) = &mail.root_file {
        options = options.with_root(&read(path)?);
    }
    if let Some(account) = &mail.account {
        let bytes = read(&account.password_file)?;
        let password = String::from_utf8_lossy(&bytes);
        let password = password.trim_end_matches(['\r', '\n']).to_owned();
        options = options.with_credentials(&account.user, password.into());
    }
    Ok(options)
}
