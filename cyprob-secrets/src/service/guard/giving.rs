//! Giving a secret out once the trail was told.

use std::sync::Arc;

use cyprob_core::domain::Caller;
use cyprob_core::ports::store::StoreError;

use super::ReadTrail;
use super::trail::Told;
use super::window::What;
use crate::domain::{OrgSecretPath, SecretRef};
use crate::ports::SecretError;
use crate::service::{SecretReader, Served};

/// How often a secret is read that is another one each time the trail was told.
const TRIES: usize = 3;

/// Why a secret that may be read was not given out.
pub(in crate::service) enum NotGiven {
    Secret(SecretError),
    Trail(Arc<StoreError>),
}

impl From<SecretError> for NotGiven {
    fn from(error: SecretError) -> Self {
        Self::Secret(error)
    }
}

impl From<Arc<StoreError>> for NotGiven {
    fn from(error: Arc<StoreError>) -> Self {
        Self::Trail(error)
    }
}

impl ReadTrail {
    /// Reads a secret, of an organization or the host's own, and tells the trail who is given which version.
    ///
    /// Where that took time the secret is read again, through memory: what was withdrawn meanwhile
    /// or is past its bound is not given out, and another version is told too.
    pub(in crate::service) async fn read(
        &self,
        reader: &SecretReader,
        caller: &Caller,
        reference: &SecretRef,
        of: Option<&OrgSecretPath>,
    ) -> Result<Option<Served>, NotGiven> {
        let Some(mut served) = reader.read(reference).await? else {
            return Ok(None);
        };
        for _ in 0..TRIES {
            let what = What::given(reference, served.version(), of);
            if self.tell(caller, what, served.at()).await? == Told::AtOnce {
                return Ok(Some(served));
            }
            let Some(again) = reader.read(reference).await? else {
                return Ok(None);
            };
            if again.version() == served.version() {
                return Ok(Some(again));
            }
            served = again;
        }
        let moved = "it was rotated again and again while the trail was told of it";
        Err(SecretError::unavailable(moved).into())
    }
}
