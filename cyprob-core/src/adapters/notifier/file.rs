//! A file in place of mail, for development.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::json;
use zeroize::Zeroizing;

use crate::domain::{BaseUrl, Notification};
use crate::ports::{Notifier, NotifyError};

/// Appends every message with its token, one JSON object a line, to a file of mode 0600.
///
/// Whoever reads the file resets passwords. It is for development and tests.
#[derive(Clone, Debug)]
pub struct FileNotifier {
    path: PathBuf,
    base: BaseUrl,
}

impl FileNotifier {
    /// Writes to this file, which is made when the first message comes.
    #[must_use]
    pub fn dangerous(path: &Path, base: BaseUrl) -> Self {
        Self {
            path: path.to_owned(),
            base,
        }
    }
}

#[async_trait]
impl Notifier for FileNotifier {
    async fn send(&self, notification: &Notification) -> Result<(), NotifyError> {
        let letter = notification.message.letter(&self.base);
        let line = json!({
            "id": notification.id.to_string(),
            "kind": notification.message.kind(),
            "user": notification.user.to_string(),
            "to": notification.to.as_str(),
            "subject": letter.subject,
            "text": letter.text.expose_secret(),
        });
        let line = Zeroizing::new(format!("{line}\n"));
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        let written = options
            .open(&self.path)
            .and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|source| NotifyError::Unavailable {
            source: source.into(),
        })
    }
}
