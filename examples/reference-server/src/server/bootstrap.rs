//! The one-time token, while no administrator exists.

use std::time::Duration;

use cyprob::core::service::Bootstrap;
use cyprob::{ControlPlane, error_chain};
use secrecy::{ExposeSecret, SecretString};

use super::{BootstrapFile, ServeError};

/// How often a fresh token replaces the last one, which is good for 30 minutes.
const EVERY: Duration = Duration::from_secs(25 * 60);

/// Draws a token into its file; gives it, or nothing if an administrator exists.
pub(crate) async fn arm(
    plane: &ControlPlane,
    file: &BootstrapFile,
) -> Result<Option<SecretString>, ServeError> {
    let failed = |source| ServeError::BootstrapFile {
        path: file.path().to_owned(),
        source,
    };
    let _lock = file.lock().await.map_err(failed)?;
    match plane.identity().arm_bootstrap().await? {
        Bootstrap::Open(token) => {
            file.write(token.expose_secret()).map_err(failed)?;
            Ok(Some(token))
        }
        Bootstrap::Closed => {
            file.delete().map_err(failed)?;
            Ok(None)
        }
    }
}

/// Renews the token until an administrator exists, then deletes its file.
pub(crate) async fn keep(plane: ControlPlane, file: BootstrapFile) {
    let mut done = plane.bootstrapped();
    loop {
        let used = tokio::time::timeout(EVERY, done.wait_for(|done| *done))
            .await
            .is_ok();
        if used {
            if let Err(error) = file.delete() {
                tracing::error!(chain = %error_chain(&error), "the used bootstrap token's file stays");
            }
            return;
        }
        match arm(&plane, &file).await {
            Ok(Some(_)) => tracing::info!(file = %file.path().display(), "a fresh bootstrap token"),
            Ok(None) => return,
            Err(error) => tracing::error!(chain = %error_chain(&error), "no fresh bootstrap token"),
        }
    }
}
