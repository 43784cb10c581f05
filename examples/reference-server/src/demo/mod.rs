//! `cyprob demo`: the whole control plane, step by step, over HTTP.
//!
//! Nothing here has a way in that a client would not have: the steps talk to
//! the server over a socket and read the files that it publishes.

mod assets;
mod client;
mod directory;
mod people;
mod runs;
mod steps;
mod trail;

use std::io::Write;
use std::path::Path;

use crate::config::Config;
use crate::server::{self, Running, ServeError};

use client::Client;
use directory::DemoDirectory;
use steps::{Failed, Steps};

/// What a walk through the demo leaves for whoever goes on.
struct Walked {
    running: Running,
    directory: DemoDirectory,
}

/// Walks through every step; then serves until stopped, unless it is to end.
///
/// # Errors
///
/// [`ServeError::Demo`] with the step that did not hold.
pub(crate) async fn run(config: Config, data: Option<&Path>, exit: bool) -> Result<(), ServeError> {
    let ended = server::ended().map_err(ServeError::System)?;
    let mut steps = Steps::new();
    let walked = Box::pin(walk(&mut steps, &config, data))
        .await
        .map_err(|Failed(step)| ServeError::Demo(step))?;
    let Walked { running, directory } = walked;
    if !exit {
        say(&format!("\nserving on {} until Ctrl-C", running.url()));
        say(&format!(
            "sign in as {} with the password: {}",
            people::OWNER,
            people::PASSWORD
        ));
        ended.await;
    }
    let held = steps
        .check("end", "everything is drained and closed", running.stop())
        .await;
    held.map_err(|Failed(step)| ServeError::Demo(step))?;
    directory.remove();
    say(&format!("\n{} steps, every one held", steps.count()));
    Ok(())
}

async fn walk(steps: &mut Steps, config: &Config, data: Option<&Path>) -> Result<Walked, Failed> {
    let made = async { DemoDirectory::make(data) };
    let directory = steps
        .check("data directory", "fresh, ours alone", made)
        .await?;
    steps.note(&format!("{}", directory.path().display()));
    let listen = Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
    let started = Box::pin(Running::start(config, Some(directory.path()), listen));
    let running = steps
        .check("server", "listens on loopback", started)
        .await?;
    steps.note(running.url());
    let client = Client::new(running.url());

    let people = people::walk(steps, &client, &running).await?;
    let run = runs::walk(steps, &client, &people).await?;
    people::revocation(steps, &client).await?;
    trail::walk(steps, &client, &people, &run, running.audit_directory()).await?;
    Ok(Walked { running, directory })
}

/// A line for whoever watches; a closed standard output ends nothing.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
