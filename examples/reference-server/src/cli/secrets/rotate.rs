//! `cyprob secrets rotate`: another master key, another data key.

use std::io::Write as _;

use clap::Args;
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::domain::audit::Resource;
use cyprob::secrets::adapters::local::{LocalStore, random_master_key};

use super::{Place, SecretsError};
use crate::server::ServeError;

/// Which key; after a leak of the master key, both.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Keys {
    /// Draw a new master key; the values stay sealed as they are.
    ///
    /// Its file gets the new key, and the one from before is kept beside it.
    #[arg(long)]
    master_key: bool,
    /// Draw a new data key and seal every value under it; goes on where it was ended.
    #[arg(long)]
    data_key: bool,
}

impl RotateArgs {
    /// Runs the command.
    pub(crate) async fn run(self) -> Result<(), ServeError> {
        let store = self.place.secrets()?;
        let note = |command| self.place.note(command, Resource::new("secret_store", ""));
        if self.keys.master_key {
            note("secrets rotate --master-key")?;
            rewrap(&store, self.keys.data_key).await?;
        }
        if self.keys.data_key {
            note("secrets rotate --data-key")?;
            let done = store.reencrypt().await.map_err(SecretsError::Source)?;
            say(&format!(
                "sealed under a new data key: {} now, {} already; the old one is gone",
                done.resealed, done.already
            ));
        }
        Ok(())
    }
}

async fn rewrap(store: &LocalStore, data_key_follows: bool) -> Result<(), SecretsError> {
    let done = store.rewrap(random_master_key(&SystemEntropy)).await?;
    say("the master key is replaced");
    if let Some(before) = done.before {
        say(&format!(
            "the one from before is kept in {}: remove it when no backup and no other store needs it",
            before.display()
        ));
    }
    if done.reencryption_due && !data_key_follows {
        say(
            "some values are sealed under an earlier data key: run `cyprob secrets rotate --data-key`",
        );
    }
    Ok(())
}

/// A line for the operator; a closed standard output is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
