//! The server's configuration: a TOML file, typed, unknown keys refused.

#[cfg(feature = "aws")]
mod aws;
mod fault;
mod mail;
#[cfg(any(feature = "aws", feature = "vault"))]
mod parsed;
mod postgres;
#[cfg(feature = "vault")]
mod vault;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cyprob::core::domain::BaseUrl;
use serde::{Deserialize, Deserializer};

use crate::bounded;

#[cfg(feature = "aws")]
pub(crate) use aws::{AwsSection, AwsSectionError};
pub(crate) use mail::{Mail, MailSecurity};
pub(crate) use postgres::{PostgresConfig, PostgresConfigError};
#[cfg(feature = "vault")]
pub(crate) use vault::{VaultConfig, VaultConfigError};

/// A section that a binary without the feature `vault` cannot use, whatever it says.
#[cfg(not(feature = "vault"))]
type VaultConfig = serde::de::IgnoredAny;

/// A section that a binary without the feature `aws` cannot use, whatever it says.
#[cfg(not(feature = "aws"))]
type AwsSection = serde::de::IgnoredAny;

/// The longest configuration.
const MAX_BYTES: usize = 1 << 20;

/// What the configuration file can say. Units are in the names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The data directory.
    pub(crate) data: Option<PathBuf>,
    /// The file of the master key; `master-key` in the data directory by default.
    pub(crate) master_key_file: Option<PathBuf>,
    /// The address to listen on.
    pub(crate) listen: Option<SocketAddr>,
    /// The header to which the proxy in front appends the client's address, such as `x-forwarded-for`.
    ///
    /// Without it the peer's address counts and no header is read. Behind a proxy
    /// all clients share that of the proxy then, and what strangers may try.
    pub(crate) client_address_header: Option<Header>,
    /// How long an access token lives.
    pub(crate) access_ttl_seconds: Option<u64>,
    /// How long an unused session lives.
    pub(crate) session_idle_seconds: Option<u64>,
    /// How long a session lives at most.
    pub(crate) session_absolute_seconds: Option<u64>,
    /// How long the refresh token just replaced is still answered.
    pub(crate) refresh_grace_seconds: Option<u64>,
    /// How many failed sign-ins one address may have at once; its network may have five times as many.
    pub(crate) failures_at_once_per_address: Option<u32>,
    /// How many failed sign-ins one address may have in a minute after those.
    pub(crate) failures_per_minute_per_address: Option<u32>,
    /// After how many failures in a row strangers cannot sign in to an account.
    pub(crate) switch_off_after_failures: Option<u32>,
    /// How long a client is recognised after it signed in.
    pub(crate) device_seconds: Option<u64>,
    /// After how many failures in a row a device token counts as none.
    pub(crate) device_failures: Option<u32>,
    /// From how many different names that fail within a minute it is recorded as an attack.
    pub(crate) surge_floor_names: Option<u32>,
    /// Fewest characters of a password that is the only factor; at least 15.
    pub(crate) password_min_chars: Option<u32>,
    /// Names that no password may be built from, such as the product's and the company's.
    #[serde(default)]
    pub(crate) password_context_words: Vec<String>,
    /// Disclosed passwords, none of which is accepted: lines `SHA-1:COUNT`, sorted.
    pub(crate) breached_passwords_file: Option<PathBuf>,
    /// Roles that members of every organization can have, in YAML; only the built-in ones without it.
    pub(crate) policy_file: Option<PathBuf>,
    /// A directory that gets every event as lines of JSON, one file for each log.
    pub(crate) audit_jsonl: Option<PathBuf>,
    /// Where people open the deployment, for links in mail: `https://host`.
    #[serde(default, deserialize_with = "url")]
    pub(crate) public_url: Option<BaseUrl>,
    /// The server that mail goes through; without it nobody gets any.
    pub(crate) mail: Option<Mail>,
    /// For development: a file that gets every message, its token too, in place of mail.
    pub(crate) dangerous_message_file: Option<PathBuf>,
    /// The command that runs a worker; by default this very binary.
    pub(crate) worker_command: Option<Program>,
    /// How it is known whether a token was revoked; `feed` by default.
    #[serde(default)]
    pub(crate) revocation_check: RevocationCheck,
    /// The database of many nodes; without it everything is in the data directory.
    pub(crate) postgres: Option<PostgresConfig>,
    /// The Vault that `vault://` references are read from; only with the feature `vault`.
    pub(crate) vault: Option<VaultConfig>,
    /// The account that `awssm://` references are read from; only with the feature `aws`.
    pub(crate) aws: Option<AwsSection>,
}

/// The name of a header.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Header(pub(crate) http::HeaderName);

impl TryFrom<String> for Header {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let name = name.parse().map_err(|_| "no name of a header")?;
        Ok(Self(name))
    }
}

/// How it is known whether a token was revoked.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RevocationCheck {
    /// From memory, which other nodes keep up to date.
    #[default]
    Feed,
    /// From the database, at every request.
    Strict,
}

fn url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BaseUrl>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// A program and its arguments.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct Program {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it is given.
    pub(crate) arguments: Vec<String>,
}

impl TryFrom<Vec<String>> for Program {
    type Error = &'static str;

    fn try_from(words: Vec<String>) -> Result<Self, Self::Error> {
        let mut words = words.into_iter();
        match words.next().filter(|path| !path.is_empty()) {
            Some(path) => Ok(Self {
                path: path.into(),
                arguments: words.collect(),
            }),
            None => Err("a program comes first"),
        }
    }
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no valid configuration.
    #[error("{} is not a valid configuration: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The first fault, with its place.
        reason: String,
    },
    /// It has a section for which this binary was not made.
    #[error(
        "the configuration has a section [{0}], and this binary was made without it: build it with `--features {0}`"
    )]
    NotBuilt(&'static str),
}

impl Config {
    /// Reads a file; without one everything has its default.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it cannot be read, is no TOML, or has a key or a value that is not known.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let unreadable = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        let bytes = bounded::read(path, MAX_BYTES).map_err(unreadable)?;
        if bytes.len() > MAX_BYTES {
            let why = format!("longer than {MAX_BYTES} bytes");
            return Err(unreadable(io::Error::other(why)));
        }
        let text = String::from_utf8(bytes);
        let text = text.map_err(|error| unreadable(io::Error::other(error)))?;
        let config: Self = toml::from_str(&text).map_err(|error| ConfigError::Invalid {
            path: path.to_owned(),
            reason: fault::told(&text, &error),
        })?;
        config.built()?;
        Ok(config)
    }

    /// That this binary was made for all its sections.
    fn built(&self) -> Result<(), ConfigError> {
        for (section, is_there, built) in [
            ("vault", self.vault.is_some(), cfg!(feature = "vault")),
            ("aws", self.aws.is_some(), cfg!(feature = "aws")),
        ] {
            if is_there && !built {
                return Err(ConfigError::NotBuilt(section));
            }
        }
        Ok(())
    }
}
