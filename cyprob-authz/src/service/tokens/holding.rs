//! Whether a token that was verified would still be.

use cyprob_core::domain::Timestamp;

use super::verify::{TokenError, TokenVerifier, check_times};
use crate::domain::VerifiedToken;

impl TokenVerifier {
    /// Judges the token by its key's status and its time alone: its bytes are those that held.
    pub(crate) fn still_holds(
        &self,
        token: &VerifiedToken,
        at: Timestamp,
    ) -> Result<(), TokenError> {
        let (verifies, id, ends) = match token {
            VerifiedToken::Person(it) => {
                let verifies = self.ring().verifies(it.key, &it.public, at);
                (verifies, it.claims.id, it.claims.expires_at)
            }
            VerifiedToken::Service(it) => {
                let verifies = self.services().verifies(it.key, &it.public, at);
                (verifies, it.claims.id, it.claims.expires_at)
            }
        };
        if !verifies {
            return Err(TokenError::UnknownKey);
        }
        check_times(id, ends, at)
    }
}
