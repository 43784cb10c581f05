//! Judging anew a token that was accepted before.

use cyprob_core::domain::Timestamp;

use super::access::AccessControl;
use super::tokens::{TokenError, VerifiedJob};
use crate::domain::Principal;

impl AccessControl {
    /// Judges a caller's token anew: its key, its time, and that nothing revoked it.
    ///
    /// It verifies no signature and asks no store, so that thousands of open
    /// connections can ask once a second. What the caller may do is
    /// [`decide`](crate::domain::decide)'s to say.
    ///
    /// # Errors
    ///
    /// [`TokenError`], as [`authenticate`](Self::authenticate) gives for the token's text.
    pub fn recheck(&self, principal: &Principal, at: Timestamp) -> Result<(), TokenError> {
        self.parts.verifier.still_holds(principal.token(), at)?;
        if self.parts.revocations.is_revoked(principal.claims()) {
            return Err(TokenError::Revoked);
        }
        if self.parts.revocations.is_stale() {
            return Err(TokenError::Stale);
        }
        Ok(())
    }

    /// Judges a worker's token anew, from memory as well: its key and its deadline.
    pub(crate) fn recheck_job(&self, job: &VerifiedJob, at: Timestamp) -> Result<(), TokenError> {
        self.parts.jobs.still_holds(job, at)
    }
}
