//! The local store, and the master key that opens it.

use cyprob::secrets::domain::{LocalRef, SecretRef};
use cyprob::secrets::ports::{SecretError, SecretStore};
use cyprob::{DirectoryError, error_chain};

use super::Place;
use super::report::Report;
use crate::config::Config;
use crate::server::ServeError;

/// Opens the store as a server does, and each version of each secret; nothing is made.
pub(super) async fn look(place: &Place, config: &Config, report: &mut Report) {
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
        Ok(store) => {
            report.well(format_args!("{what}: private, and opens the local store"));
            match versions(store.as_ref(), report).await {
                Ok(0) => {}
                Ok(sound) => report.well(format_args!(
                    "local store: every version opens, {sound} in all"
                )),
                Err(error) => report.refuse(format_args!("local store: {}", error_chain(&error))),
            }
        }
        Err(error @ DirectoryError::NoDeployment { .. }) => {
            report.remark(format_args!("local store: {error}"));
        }
        Err(error) => report.refuse(format_args!("{what}: {}", error_chain(&error))),
    }
}

/// Opens every version, and says how many are sound; each that is not is refused.
async fn versions(store: &dyn SecretStore, report: &mut Report) -> Result<usize, SecretError> {
    let mut sound = 0;
    for name in store.names().await? {
        let versions = match store.versions(&name).await {
            Ok(versions) => versions,
            Err(error) => {
                report.refuse(format_args!("local store: {}", error_chain(&error)));
                continue;
            }
        };
        for version in versions {
            let version = LocalRef::new(name.clone(), Some(version));
            match store.read(&SecretRef::Local(version)).await {
                Ok(_) => sound += 1,
                Err(error) => report.refuse(format_args!("local store: {}", error_chain(&error))),
            }
        }
    }
    Ok(sound)
}
