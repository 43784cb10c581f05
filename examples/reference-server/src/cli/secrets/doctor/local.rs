//! The local store, and the master key that opens it.

use cyprob::{DirectoryError, error_chain};

use super::Place;
use super::report::Report;
use crate::config::Config;
use crate::server::ServeError;

/// Opens the store as a server does; nothing is made.
pub(super) fn look(place: &Place, config: &Config, report: &mut Report) {
    let (data, master_key) = match place.keys_of(config.clone()) {
        Ok(found) => found,
        Err(ServeError::Directory(error @ DirectoryError::NoDeployment { .. })) => {
            return report.remark(format_args!("local store: {error}"));
        }
        Err(error) => {
            return report.refuse(format_args!("data directory: {}", error_chain(&error)));
        }
    };
    let what = format!("master key {}", master_key.display());
    if data.path().join("secrets").is_dir() && !master_key.exists() {
        return report.refuse(format_args!(
            "{what}: is not there, and the store does not open without it; restore it from its backup"
        ));
    }
    match cyprob::local_secrets(data.path(), &master_key) {
        Ok(_) => report.well(format_args!("{what}: private, and opens the local store")),
        Err(error @ DirectoryError::NoDeployment { .. }) => {
            report.remark(format_args!("local store: {error}"));
        }
        Err(error) => report.refuse(format_args!("{what}: {}", error_chain(&error))),
    }
}
