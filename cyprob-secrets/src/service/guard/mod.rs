//! Reading a secret in somebody's name.

mod giving;
#[cfg(test)]
mod tests;
mod trail;
mod window;

use std::sync::Arc;

use cyprob_core::domain::Caller;
use cyprob_core::ports::store::StoreError;

pub(in crate::service) use self::giving::NotGiven;
pub use self::trail::ReadTrail;
use super::{SecretReader, Served};
use crate::domain::SecretRef;
use crate::ports::{SecretAccess, SecretError};

/// Gives secrets to those who may read them, and nothing before it is in the trail who was given what.
///
/// The first read of a version by an actor is recorded before the value is given
/// out; those that follow within the [`ReadTrail`]'s window are counted, and
/// their number is recorded at its end. A refusal is recorded the same way. An
/// event has the secret's reference and version, never a value.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use cyprob_core::adapters::memory::MemoryStore as Database;
/// # use cyprob_core::adapters::system::{SystemClock, SystemEntropy};
/// use cyprob_core::domain::Caller;
/// use cyprob_secrets::adapters::grants::{Grantee, SecretGrants};
/// use cyprob_secrets::domain::{Keeping, SecretRef};
/// use cyprob_secrets::service::{GuardError, ReadTrail, SecretGuard, SecretReader, SecretResolver};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (clock, entropy, outbox) = (Arc::new(SystemClock), Arc::new(SystemEntropy), Arc::new(Database::new()));
/// let secret: SecretRef = "env://SMTP_PASSWORD".parse().unwrap();
/// let reader = SecretReader::new(SecretResolver::new(), Keeping::DEFAULT, clock.clone());
/// let grants = SecretGrants::new().allow(Grantee::System("mailer".to_owned()), &secret);
/// let trail = ReadTrail::new(outbox, clock, entropy, ReadTrail::WINDOW);
/// let guard = SecretGuard::new(reader, Arc::new(grants), trail);
/// let refused = guard.read(&Caller::system("exporter"), &secret).await;
/// assert!(matches!(refused, Err(GuardError::Denied)));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct SecretGuard {
    reader: SecretReader,
    access: Arc<dyn SecretAccess>,
    trail: ReadTrail,
}

/// Why a secret was not given out.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The caller may not read it; grant it to them. Whether there is such a secret was not looked at.
    #[error("the caller may not read this secret")]
    Denied,
    /// The secret could not be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The trail takes no events, or not in time, so nobody is given anything.
    #[error("the audit trail takes no events")]
    Trail(#[from] Arc<StoreError>),
}

impl From<NotGiven> for GuardError {
    fn from(why: NotGiven) -> Self {
        match why {
            NotGiven::Secret(error) => Self::Secret(error),
            NotGiven::Trail(error) => Self::Trail(error),
        }
    }
}

impl SecretGuard {
    /// Reads through `reader` what `access` allows, and tells `trail`.
    #[must_use]
    pub fn new(reader: SecretReader, access: Arc<dyn SecretAccess>, trail: ReadTrail) -> Self {
        Self {
            reader,
            access,
            trail,
        }
    }

    /// Reads a secret for a caller; `None` if there is none, which is not recorded.
    ///
    /// It must be called within a Tokio runtime. The trail may take five seconds
    /// for a first read; what was withdrawn or grew too old meanwhile is not
    /// given out, though the trail may have the event.
    ///
    /// # Errors
    ///
    /// [`GuardError`]; nothing of the secret is given out then.
    pub async fn read(
        &self,
        caller: &Caller,
        reference: &SecretRef,
    ) -> Result<Option<Served>, GuardError> {
        if !self.access.may_read(&caller.actor, reference) {
            self.trail.refused(caller, reference).await?;
            return Err(GuardError::Denied);
        }
        let given = self.trail.read(&self.reader, caller, reference, None);
        Ok(given.await?)
    }
}
