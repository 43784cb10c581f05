//! `cyprob token ...`: what the holder of a token can do with it, without a server.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use clap::{Args, Subcommand};
use cyprob::authz::domain::{Cidr, Narrowing};
use cyprob::authz::service::{MAX_TOKEN_BYTES, attenuate, random_uses};
use cyprob::core::adapters::system::{SystemClock, SystemEntropy};
use cyprob::core::ports::Clock as _;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{Exit, runtime};
use crate::server::ServeError;

/// More than the text of a token has, so that a longer one is told as such.
const MAX_TEXT: u64 = 2 * MAX_TOKEN_BYTES as u64;

/// Work on tokens; no server needed.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Read a token on standard input and write a narrower one, such as a script should have.
    Attenuate(AttenuateArgs),
}

/// What is left of the token: all that is said must hold.
#[derive(Debug, Args)]
pub(crate) struct AttenuateArgs {
    /// A permission that is left, such as `runs:read`; say it again for more.
    #[arg(long = "permission", value_name = "NAME")]
    permissions: Vec<String>,
    /// A resource that is left, as paths name it, such as a run's id; say it again for more.
    #[arg(long = "resource", value_name = "ID")]
    resources: Vec<String>,
    /// A range that it can be used from, such as `10.0.0.0/8`; say it again for more.
    #[arg(long = "address", value_name = "RANGE")]
    addresses: Vec<Cidr>,
    /// In how many seconds it ends; never later than the token that is narrowed.
    #[arg(long, value_name = "SECONDS")]
    ends_in: Option<u64>,
    /// How often it can be used, once to eight times; the server counts.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=8))]
    uses: Option<u8>,
}

impl TokenCommand {
    /// Runs the command.
    pub(crate) fn run(self) -> Exit {
        match self {
            Self::Attenuate(args) => runtime::run(async move { args.attenuate() }),
        }
    }
}

impl AttenuateArgs {
    fn attenuate(self) -> Result<(), ServeError> {
        let token = read_token().map_err(ServeError::System)?;
        let narrower = attenuate(&token, &self.narrowings(), &SystemEntropy)?;
        let mut out = io::stdout().lock();
        writeln!(out, "{}", narrower.expose_secret()).map_err(ServeError::System)
    }

    fn narrowings(self) -> Vec<Narrowing> {
        let mut all = Vec::new();
        if !self.permissions.is_empty() {
            all.push(Narrowing::Permissions(self.permissions));
        }
        if !self.resources.is_empty() {
            all.push(Narrowing::Resources(self.resources));
        }
        if !self.addresses.is_empty() {
            all.push(Narrowing::Addresses(self.addresses));
        }
        if let Some(seconds) = self.ends_in {
            let end = SystemClock.now().after(Duration::from_secs(seconds));
            let second = u64::try_from(end.as_seconds()).unwrap_or(0);
            all.push(Narrowing::Before(second));
        }
        if let Some(number) = self.uses {
            all.push(random_uses(number, &SystemEntropy));
        }
        all
    }
}

/// Never from the command line, which every user of the machine can see.
fn read_token() -> io::Result<SecretString> {
    let mut text = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .take(MAX_TEXT)
        .read_to_string(&mut text)?;
    Ok(SecretString::from(text.trim()))
}
