//! `cyprob admin user ...` and `cyprob admin recover`: accounts, by the one who owns the machine.

use std::io::Write;

use clap::{Args, Subcommand};
use cyprob::core::domain::{DisplayName, Email, PageRequest, SystemCtx, User};
use cyprob::core::service::{AccountError, Identity};
use secrecy::ExposeSecret;

use super::Place;
use crate::config::Config;
use crate::server::{Deployment, ServeError};

/// Accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Print every account: id, address, what it is.
    List(Place),
    /// Switch an account off: its sessions and tokens end.
    Disable(DisableArgs),
    /// Switch an account on again.
    Enable(UserArgs),
}

/// Whose account, where.
#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    /// The account's address.
    email: Email,
    #[command(flatten)]
    place: Place,
}

/// Whose account, why.
#[derive(Debug, Args)]
pub(crate) struct DisableArgs {
    #[command(flatten)]
    user: UserArgs,
    /// Why; it is recorded.
    #[arg(long)]
    reason: DisplayName,
}

/// The proof that the one who owns the machine acts.
fn operator() -> SystemCtx {
    SystemCtx::operator("accounts at the command line")
}

/// A line for the operator; a closed standard output is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Runs one command on the deployment of a place, and closes it whatever happened.
async fn with<T>(
    place: &Place,
    command: impl AsyncFnOnce(&Identity) -> Result<T, ServeError>,
) -> Result<T, ServeError> {
    let config = Config::load(place.config.as_deref())?;
    let Deployment { backend, plane, .. } =
        Deployment::open(&config, place.data.as_deref()).await?;
    let done = command(plane.identity()).await;
    drop(plane);
    backend.close().await;
    done
}

async fn account(identity: &Identity, email: &Email) -> Result<User, ServeError> {
    let page = PageRequest::new(1, None);
    let found = identity.users(&operator(), Some(email), &page).await?;
    let user = found.items.into_iter().next();
    user.ok_or(ServeError::Account(AccountError::NotFound))
}

/// Runs the command.
pub(crate) async fn run(command: UserCommand) -> Result<(), ServeError> {
    match command {
        UserCommand::List(place) => with(&place, list).await,
        UserCommand::Disable(DisableArgs { user, reason }) => {
            with(&user.place, async |identity: &Identity| {
                let id = account(identity, &user.email).await?.id;
                Ok(identity
                    .disable_user(&operator(), id, reason.as_str())
                    .await?)
            })
            .await?;
            say("the account is switched off");
            Ok(())
        }
        UserCommand::Enable(user) => {
            with(&user.place, async |identity: &Identity| {
                let id = account(identity, &user.email).await?.id;
                Ok(identity.enable_user(&operator(), id).await?)
            })
            .await?;
            say("the account is switched on");
            Ok(())
        }
    }
}

async fn list(identity: &Identity) -> Result<(), ServeError> {
    let mut after = None;
    loop {
        let page = PageRequest::new(PageRequest::MAX, after);
        let page = identity.users(&operator(), None, &page).await?;
        for user in page.items {
            let what = [
                (user.administrator, " administrator"),
                (!user.email_verified, " unverified"),
                (user.disabled_at.is_some(), " disabled"),
            ];
            let what: String = what
                .iter()
                .filter(|(is, _)| *is)
                .map(|(_, it)| *it)
                .collect();
            say(&format!("{} {}{what}", user.id, user.email.as_str()));
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// Draws the token that lets an administrator in again, and prints it.
pub(crate) async fn recover(args: UserArgs) -> Result<(), ServeError> {
    let token = with(&args.place, async |identity: &Identity| {
        Ok(identity.recover(&operator(), &args.email).await?)
    })
    .await?;
    say(&format!(
        "the one-time token that sets a new password, good for 30 minutes:\n{}\nstart the server and \
         send it to POST /api/v1/auth/password-reset/confirm as {{\"token\", \"password\"}}",
        token.expose_secret()
    ));
    Ok(())
}
