//! Sends one message and says how it ended: for `scripts/test.d/50-smtp.sh`.
//!
//! `send_mail HOST PORT starttls|implicit|loopback TO TOKEN SECONDS [ROOT.pem [USER PASSWORD]]`

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of the tests"
)]

use std::process::ExitCode;
use std::time::Duration;

use cyprob_core::adapters::notifier::{SmtpNotifier, SmtpOptions, SmtpSecurity};
use cyprob_core::adapters::system::{SystemClock, SystemEntropy};
use cyprob_core::domain::{Email, Message, Notification};
use cyprob_core::ports::{Clock, EntropyExt, Notifier, NotifyError};

fn notifier(words: &[String]) -> Result<(SmtpNotifier, Email, String), String> {
    let word = |n: usize| words.get(n).map(String::as_str).ok_or("too few words");
    let security = match word(2)? {
        "starttls" => SmtpSecurity::StartTls,
        "implicit" => SmtpSecurity::ImplicitTls,
        "loopback" => SmtpSecurity::Loopback,
        _ => return Err("no such protection".to_owned()),
    };
    let port = word(1)?.parse().map_err(|_| "no port")?;
    let to = word(3)?.parse().map_err(|_| "no address")?;
    let seconds = word(5)?.parse().map_err(|_| "no time")?;
    let from = "no-reply@example.org".parse().map_err(|_| "no sender")?;
    let base = "https://id.example.org".parse().map_err(|_| "no base")?;
    let mut options = SmtpOptions::new((word(0)?, port), security, from, base)
        .with_timeout(Duration::from_secs(seconds));
    if let Some(root) = words.get(6) {
        let pem = std::fs::read(root).map_err(|error| error.to_string())?;
        options = options.with_root(&pem);
    }
    if let (Some(user), Some(password)) = (words.get(7), words.get(8)) {
        options = options.with_credentials(user, password.clone().into());
    }
    let notifier = SmtpNotifier::new(options).map_err(|error| error.to_string())?;
    Ok((notifier, to, word(4)?.to_owned()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (notifier, to, token) = match notifier(&words) {
        Ok(ready) => ready,
        Err(why) => {
            println!("not sent: {why}");
            return ExitCode::from(2);
        }
    };
    let at = SystemClock.now();
    let notification = Notification {
        id: SystemEntropy.id(at),
        user: SystemEntropy.id(at),
        to,
        message: Message::PasswordReset {
            token: token.into(),
            expires_at: at.after(Duration::from_secs(60)),
        },
    };
    let (word, error) = match notifier.send(&notification).await {
        Ok(()) => ("sent", None),
        Err(NotifyError::Refused { source }) => ("refused", Some(source)),
        Err(NotifyError::Unavailable { source }) => ("unavailable", Some(source)),
        Err(_) => ("unknown", None),
    };
    match error {
        Some(error) => println!("{word}: {error}"),
        None => println!("{word}"),
    }
    ExitCode::SUCCESS
}
