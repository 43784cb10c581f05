//! `cyprob secrets put`: a value from standard input, never from an argument.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::str::FromStr;

use clap::Args;
use cyprob::core::adapters::system::SystemClock;
use cyprob::core::domain::audit::Resource;
use cyprob::core::ports::Clock as _;
use cyprob::secrets::domain::{SecretName, SecretValue, SecretVersion};
use cyprob::secrets::ports::{Expected, PutOutcome, SecretStore as _};

use super::{Guarded, SecretsError, prompt};
use crate::server::ServeError;

/// Which secret.
#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    /// The secret's name, such as `db/password`.
    name: String,
    /// The version that is the newest now, which services may be using.
    ///
    /// By default there must be none: a value is never superseded by mistake.
    #[arg(long, value_name = "N|absent", default_value = "absent")]
    expect_version: Newest,
    #[command(flatten)]
    guarded: Guarded,
}

/// What is believed to be the newest version.
#[derive(Clone, Copy, Debug)]
struct Newest(Expected);

impl FromStr for Newest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "absent" {
            return Ok(Self(Expected::Absent));
        }
        let version: Result<SecretVersion, _> = text.parse();
        let version = version.map_err(|_| "a version is a number from 1, or `absent`")?;
        Ok(Self(Expected::Version(version)))
    }
}

impl PutArgs {
    /// Runs the command.
    pub(crate) async fn run(self) -> Result<(), ServeError> {
        let name: SecretName = self.name.parse().map_err(SecretsError::Reference)?;
        self.guarded.allow(&name)?;
        let store = self.guarded.place.secrets()?;
        let value = read(&name)?;
        let on = Resource::new("secret", &name);
        self.guarded.place.note("secrets put", on)?;
        let Newest(expected) = self.expect_version;
        let put = store.put(&name, &value, expected, SystemClock.now()).await;
        match put.map_err(SecretsError::Source)? {
            PutOutcome::Stored(version) => {
                // Nobody reads a closed standard output; the value is stored all the same.
                let _ = writeln!(std::io::stdout().lock(), "{name} version {version}");
                Ok(())
            }
            PutOutcome::Conflict(newest) => Err(SecretsError::Conflict(newest).into()),
        }
    }
}

/// The value: typed twice at a terminal, otherwise all that comes in.
fn read(name: &SecretName) -> Result<SecretValue, SecretsError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return prompt::twice(name);
    }
    // One allocation that never moves, so no unwiped copy stays behind.
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(SecretValue::MAX_LEN + 2));
    let most = SecretValue::MAX_LEN as u64 + 1;
    stdin.lock().take(most).read_to_end(&mut bytes)?;
    Ok(SecretValue::new(std::mem::take(&mut *bytes))?)
}
