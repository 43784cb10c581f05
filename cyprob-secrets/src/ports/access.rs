//! Who may read which secret.

use std::fmt::Debug;

use cyprob_core::domain::audit::Actor;

use crate::domain::SecretRef;

/// Decides who may read which secret; it is asked at every read, and from memory.
pub trait SecretAccess: Debug + Send + Sync + 'static {
    /// Whether the actor may read the secret. Whoever is not known may not.
    fn may_read(&self, actor: &Actor, reference: &SecretRef) -> bool;
}
