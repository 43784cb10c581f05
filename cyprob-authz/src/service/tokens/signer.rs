//! Which key signs now.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use cyprob_core::domain::Timestamp;

use super::mint::MintError;
use crate::ports::TokenSigner;

/// The signers of one ring at this moment.
#[derive(Clone, Debug, Default)]
pub(in crate::service) struct Signers {
    /// The one that signs.
    pub(in crate::service) signing: Option<Arc<dyn TokenSigner>>,
    /// The one that signs from a time on; none yet if it could not be had.
    pub(in crate::service) next: Option<(Timestamp, Option<Arc<dyn TokenSigner>>)>,
}

/// What signs the tokens of one ring, as it is at this moment; clones share it.
#[derive(Clone)]
pub struct LiveSigner(Arc<RwLock<Arc<Signers>>>);

impl LiveSigner {
    pub(in crate::service) fn new(signers: Signers) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(signers))))
    }

    pub(in crate::service) fn replace(&self, signers: Signers) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(signers);
    }

    pub(in crate::service) fn loaded(&self) -> Arc<Signers> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What signs at this time.
    ///
    /// # Errors
    ///
    /// [`MintError::NoSigner`] if the key that should is not to be had.
    pub fn at(&self, at: Timestamp) -> Result<Arc<dyn TokenSigner>, MintError> {
        let loaded = self.loaded();
        let signer = match &loaded.next {
            Some((from, next)) if at >= *from => next.as_ref(),
            _ => loaded.signing.as_ref(),
        };
        signer.map(Arc::clone).ok_or(MintError::NoSigner)
    }

    /// Waits until what signs at this time says that it can.
    ///
    /// # Errors
    ///
    /// [`MintError::NoSigner`] and [`MintError::Sign`].
    pub async fn ready(&self, at: Timestamp) -> Result<(), MintError> {
        Ok(self.at(at)?.ready().await?)
    }
}

/// One key, which signs at any time.
impl<S: TokenSigner> From<Arc<S>> for LiveSigner {
    fn from(key: Arc<S>) -> Self {
        Self::new(Signers {
            signing: Some(key),
            next: None,
        })
    }
}

impl fmt::Debug for LiveSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveSigner").field(&self.loaded()).finish()
    }
}
