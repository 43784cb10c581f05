//! The files of passwords that other sections name.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::report::Report;
use crate::config::{Config, PostgresConfig};

/// Looks at who may read each; links are followed, as the server does.
pub(super) fn look(file: Option<&Path>, config: &Config, report: &mut Report) {
    let holds_password = config
        .postgres
        .as_ref()
        .is_some_and(PostgresConfig::has_password);
    let file = file.filter(|_| holds_password);
    let file = file.map(|path| ("[postgres] has a password in the configuration file", path));
    let postgres = config.postgres.iter();
    let postgres = postgres.flat_map(|postgres| postgres.password_files());
    let account = config.mail.as_ref().and_then(|mail| mail.account.as_ref());
    let mail = account.map(|account| {
        (
            "[mail.account] password_file",
            account.password_file.as_path(),
        )
    });
    for (key, path) in postgres.chain(mail).chain(file) {
        let what = format!("{key} {}", path.display());
        match fault(path) {
            None => report.well(format_args!("{what}: private")),
            Some(wrong) => report.refuse(format_args!("{what}: {wrong}")),
        }
    }
}

fn fault(path: &Path) -> Option<String> {
    let seen = match std::fs::metadata(path) {
        Ok(seen) => seen,
        Err(error) => return Some(format!("cannot be looked at ({error}); put it there")),
    };
    let ours = rustix::process::geteuid().as_raw();
    if !seen.is_file() {
        Some("is no file; name the file of the password".to_owned())
    } else if seen.uid() != 0 && seen.uid() != ours {
        Some("belongs to another user; give it to the user of this process".to_owned())
    } else if seen.mode() & 0o007 != 0 {
        Some("everybody may access it; take their permissions away (chmod o=)".to_owned())
    } else {
        None
    }
}
