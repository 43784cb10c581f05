//! Ways to tell people: the log, a file, mail.

mod file;
mod log;
#[cfg(feature = "smtp")]
mod smtp;

pub use file::FileNotifier;
pub use log::LogNotifier;
#[cfg(feature = "smtp")]
pub use smtp::{SmtpError, SmtpNotifier, SmtpOptions, SmtpSecurity};
