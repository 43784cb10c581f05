//! The section `[postgres]`: how the database of many nodes is reached.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cyprob::core::adapters::postgres::PostgresOptions;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::bounded;

/// The longest file of a password.
const MAX_BYTES: usize = 4_096;

/// What the section can say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostgresConfig {
    /// Where the database is and the role that nodes work as.
    url: SecretString,
    /// The file of that role's password.
    password_file: Option<PathBuf>,
    /// How many connections a node has at most.
    connections: Option<u32>,
    /// How long an operation that answers a request may take.
    wait_ms: Option<u64>,
    /// The same database, and the role that owns the tables.
    owner_url: Option<SecretString>,
    /// The file of the owner's password.
    owner_password_file: Option<PathBuf>,
    /// The role that reads; `cyprob_auditor` by default.
    auditor_role: Option<String>,
    /// Whether a node brings the tables up to date before it serves.
    #[serde(default)]
    pub(crate) migrate_on_start: bool,
}

/// The section cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostgresConfigError {
    /// There is none.
    #[error("the configuration has no section [postgres]: there is nothing to migrate")]
    Missing,
    /// The owner is not named.
    #[error("[postgres] owner_url is missing: it names the role that owns the tables")]
    NoOwner,
    /// An address is none.
    #[error("[postgres] {0} must be postgres://ROLE@HOST[:PORT]/DATABASE")]
    Address(&'static str),
    /// A bound is out of its range.
    #[error("[postgres] {key} must lie between {least} and {most}")]
    Bound {
        /// Its key.
        key: &'static str,
        /// The least value.
        least: u64,
        /// The greatest value.
        most: u64,
    },
    /// A password cannot be read.
    #[error("cannot read the password file {}", path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl PostgresConfig {
    /// How nodes reach the database.
    ///
    /// # Errors
    ///
    /// [`PostgresConfigError`] with the key and the remedy.
    pub(crate) fn runtime(&self) -> Result<PostgresOptions, PostgresConfigError> {
        let mut options = options("url", &self.url, self.password_file.as_deref())?;
        if let Some(connections) = self.connections {
            bound("connections", connections.into(), 2, 1_000)?;
            options = options.with_connections(connections);
        }
        if let Some(wait) = self.wait_ms {
            bound("wait_ms", wait, 100, 60_000)?;
            options = options.with_wait(Duration::from_millis(wait));
        }
        Ok(options)
    }

    /// How the owner of the tables reaches it.
    ///
    /// # Errors
    ///
    /// [`PostgresConfigError`] with the key and the remedy.
    pub(crate) fn owner(&self) -> Result<PostgresOptions, PostgresConfigError> {
        let url = self.owner_url.as_ref();
        let url = url.ok_or(PostgresConfigError::NoOwner)?;
        options("owner_url", url, self.owner_password_file.as_deref())
    }

    /// Whether an address has a password in it, as the configuration file has then.
    pub(crate) fn has_password(&self) -> bool {
        let owner = self.owner_url.iter();
        let mut urls = std::iter::once(&self.url).chain(owner);
        urls.any(|url| {
            let user = url
                .expose_secret()
                .split_once("://")
                .and_then(|(_, rest)| rest.split_once('@'));
            user.is_some_and(|(user, _)| user.contains(':'))
        })
    }

    /// The files of passwords, each with its key.
    pub(crate) fn password_files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let node = self.password_file.as_deref();
        let owner = self.owner_password_file.as_deref();
        let named = |key, path: Option<_>| path.map(|path| (key, path));
        [
            named("[postgres] password_file", node),
            named("[postgres] owner_password_file", owner),
        ]
        .into_iter()
        .flatten()
    }

    /// The role that reads.
    pub(crate) fn auditor(&self) -> &str {
        self.auditor_role.as_deref().unwrap_or("cyprob_auditor")
    }
}

fn options(
    key: &'static str,
    url: &SecretString,
    password: Option<&Path>,
) -> Result<PostgresOptions, PostgresConfigError> {
    let options = PostgresOptions::new(url).map_err(|_| PostgresConfigError::Address(key))?;
    let Some(path) = password else {
        return Ok(options);
    };
    let unreadable = |source| PostgresConfigError::Password {
        path: path.to_owned(),
        source,
    };
    let bytes = bounded::read(path, MAX_BYTES).map_err(unreadable)?;
    let text =
        String::from_utf8(bytes).map_err(|_| unreadable(std::io::Error::other("it is no text")))?;
    Ok(options.with_password(&SecretString::from(text.trim_end_matches(['\r', '\n']))))
}

fn bound(key: &'static str, value: u64, least: u64, most: u64) -> Result<(), PostgresConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(PostgresConfigError::Bound { key, least, most })
}
