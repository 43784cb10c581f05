//! What `serve` runs: a data directory, opened and composed as the configuration says.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cyprob::audit::adapters::jsonl::JsonLinesSink;
use cyprob::core::adapters::breach_file::BreachFile;
use cyprob::core::domain::{AccountPolicy, SessionPolicy};
use cyprob::plugins::adapters::worker::WorkerCommand;
use cyprob::{CheckMode, ControlPlane};

use super::{Backend, DataDir, ServeError, mail};
use crate::config::{Config, RevocationCheck};

/// Where everything is kept, if nobody says otherwise.
pub(crate) const DEFAULT_DATA: &str = "cyprob-data";
/// Where the server listens, if nobody says otherwise.
pub(crate) const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8480);

/// An opened data directory with the control plane over it.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) data: DataDir,
    pub(crate) backend: Backend,
    pub(crate) plane: ControlPlane,
}

impl Deployment {
    /// Opens the directory that the command line names, else the configuration, else `./cyprob-data`.
    ///
    /// # Errors
    ///
    /// [`ServeError`] with what is wrong and the remedy.
    pub(crate) async fn open(config: &Config, data: Option<&Path>) -> Result<Self, ServeError> {
        let sessions = session_policy(config)?;
        let policy = account_policy(config)?;
        let breaches = breach_list(config)?;
        let notifier = mail::notifier(config)?;
        let roles = super::roles::catalog(config.policy_file.as_deref())?;
        let path = data.map(Path::to_owned).or_else(|| config.data.clone());
        let data = DataDir::open(&path.unwrap_or_else(|| PathBuf::from(DEFAULT_DATA)))?;
        let backend = Box::pin(Backend::open(config, &data)).await?;
        let command = worker_command(config).map_err(ServeError::System)?;
        let builder = backend
            .builder()
            .sessions(sessions)
            .account_policy(policy)
            .notifier(notifier)
            .roles(roles)
            .worker_command(command)
            .check(match config.revocation_check {
                RevocationCheck::Feed => CheckMode::Feed,
                RevocationCheck::Strict => CheckMode::Strict,
            });
        let builder = match &config.audit_jsonl {
            Some(directory) => {
                let directory = DataDir::open(directory)?;
                builder.audit_sink(Arc::new(JsonLinesSink::new(directory.path())))
            }
            None => builder,
        };
        let builder = match breaches {
            Some(list) => builder.breached_passwords(Arc::new(list)),
            None => builder,
        };
        let plane = builder.build().await?;
        Ok(Self {
            data,
            backend,
            plane,
        })
    }
}

/// The command of the configuration, else this very program as a worker.
fn worker_command(config: &Config) -> std::io::Result<WorkerCommand> {
    match &config.worker_command {
        Some(program) => Ok(WorkerCommand {
            program: program.path.clone(),
            arguments: program.arguments.iter().map(Into::into).collect(),
        }),
        None => Ok(WorkerCommand {
            program: std::env::current_exe()?,
            arguments: vec!["worker".into()],
        }),
    }
}

fn session_policy(config: &Config) -> Result<SessionPolicy, ServeError> {
    let mut policy = SessionPolicy::default();
    if let Some(seconds) = config.access_ttl_seconds {
        policy = policy.with_access_ttl(Duration::from_secs(seconds))?;
    }
    if let Some(seconds) = config.session_idle_seconds {
        policy = policy.with_idle(Duration::from_secs(seconds))?;
    }
    if let Some(seconds) = config.session_absolute_seconds {
        policy = policy.with_absolute(Duration::from_secs(seconds))?;
    }
    if let Some(seconds) = config.refresh_grace_seconds {
        policy = policy.with_grace(Duration::from_secs(seconds))?;
    }
    Ok(policy)
}

fn account_policy(config: &Config) -> Result<AccountPolicy, ServeError> {
    let mut policy = AccountPolicy::default();
    if let Some(failures) = config.failures_at_once_per_address {
        policy.throttling = policy.throttling.with_failures_at_once(failures)?;
    }
    if let Some(failures) = config.failures_per_minute_per_address {
        policy.throttling = policy.throttling.with_failures_per_minute(failures)?;
    }
    if let Some(failures) = config.switch_off_after_failures {
        policy.throttling = policy.throttling.with_switch_off_after(failures)?;
    }
    if let Some(names) = config.surge_floor_names {
        policy.throttling = policy.throttling.with_surge_floor(names)?;
    }
    if let Some(seconds) = config.device_seconds {
        policy.devices = policy.devices.with_lifetime(Duration::from_secs(seconds))?;
    }
    if let Some(failures) = config.device_failures {
        policy.devices = policy.devices.with_failures(failures)?;
    }
    if let Some(chars) = config.password_min_chars {
        policy.passwords = policy.passwords.with_min_chars(chars)?;
    }
    for words in &config.password_context_words {
        policy.passwords = policy.passwords.with_context(words);
    }
    Ok(policy)
}

fn breach_list(config: &Config) -> Result<Option<BreachFile>, ServeError> {
    let Some(path) = &config.breached_passwords_file else {
        return Ok(None);
    };
    let list = BreachFile::open(path).map_err(|source| ServeError::BreachFile {
        path: path.clone(),
        source,
    })?;
    Ok(Some(list))
}
