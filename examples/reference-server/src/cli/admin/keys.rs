//! `cyprob admin keys ...`: the keys that sign tokens, beside the servers that run.

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use cyprob::authz::domain::{KeyPurpose, KeyView, RootKeyId};
use cyprob::authz::service::KeyOperations;
use cyprob::core::adapters::system::SystemClock;
use cyprob::core::domain::Caller;
use cyprob::core::ports::Clock as _;
use serde_json::json;

use super::Place;
use crate::server::ServeError;

/// Keys that sign tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Print the published keys: ring, id, status, terms.
    List(ListArgs),
    /// Publish a new key, which signs five minutes later.
    Rotate(RotateArgs),
    /// Revoke a key: its tokens end, everywhere within seconds; another key signs at once.
    Revoke(RevokeArgs),
}

/// Where, and in which form.
#[derive(Debug, Args)]
pub(crate) struct Common {
    #[command(flatten)]
    place: Place,
    /// The form of the output.
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Which keys.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The ring: user, service or worker; all when not given.
    #[arg(long)]
    ring: Option<KeyPurpose>,
    #[command(flatten)]
    common: Common,
}

/// Which ring.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// The ring: user, service or worker.
    #[arg(long)]
    ring: KeyPurpose,
    #[command(flatten)]
    common: Common,
}

/// Which key.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The ring: user, service or worker.
    #[arg(long)]
    ring: KeyPurpose,
    /// The key's number.
    #[arg(long)]
    id: u32,
    #[command(flatten)]
    common: Common,
}

impl Common {
    /// Opens the key store alone; the database stays with the server that runs.
    fn open(&self) -> Result<KeyOperations, ServeError> {
        let (data, master_key) = self.place.keys()?;
        Ok(cyprob::token_keys(data.path(), &master_key)?)
    }

    fn print(&self, keys: &[KeyView]) -> Result<(), ServeError> {
        let text = match self.format {
            Format::Json => format!("{}\n", json!({ "keys": keys })),
            Format::Text => keys.iter().map(line).collect(),
        };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).map_err(ServeError::System)
    }
}

fn line(key: &KeyView) -> String {
    let end = key.not_after.as_ref();
    let end = end.map_or(String::new(), |end| format!(" until {end}"));
    format!(
        "{} {} {} {} signs from {}{end}\n",
        key.ring, key.id, key.status, key.public_key, key.signs_from
    )
}

/// Runs the command.
pub(crate) async fn run(command: KeyCommand) -> Result<(), ServeError> {
    let at = SystemClock.now();
    let caller = Caller::operator();
    match command {
        KeyCommand::List(ListArgs { ring, common }) => {
            let keys = common.open()?;
            let rings = ring.map_or(KeyPurpose::ALL.to_vec(), |ring| vec![ring]);
            let mut all = Vec::new();
            for ring in rings {
                all.extend(KeyView::all(ring, &keys.plan(ring, at).await?, at));
            }
            common.print(&all)
        }
        KeyCommand::Rotate(RotateArgs { ring, common }) => {
            let plan = common.open()?.rotate(ring, &caller, at).await?;
            common.print(&KeyView::all(ring, &plan, at))
        }
        KeyCommand::Revoke(RevokeArgs { ring, id, common }) => {
            let id = RootKeyId::new(id);
            let plan = common.open()?.revoke(ring, id, &caller, at).await?;
            common.print(&KeyView::all(ring, &plan, at))
        }
    }
}
