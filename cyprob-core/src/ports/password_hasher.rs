//! Password hashing as a port.

use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::{PasswordHash, UserId};

/// What a check found.
#[derive(Clone, Debug)]
pub enum PasswordCheck {
    /// It is the password.
    Right,
    /// It is, and here is its form under today's parameters.
    RightRehash(PasswordHash),
    /// It is not.
    Wrong,
}

/// Why nothing was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// Too many are waiting.
    #[error("password hashing is at capacity")]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// The hasher stopped, or cannot work with its parameters.
    #[error("password hashing is unavailable")]
    Unavailable,
}

/// Hashes passwords within bounded memory and time, fair to those who wait.
#[async_trait]
pub trait PasswordHasher: Debug + Send + Sync + 'static {
    /// The storable form of a password.
    async fn hash(
        &self,
        password: SecretString,
        from: Option<IpAddr>,
    ) -> Result<PasswordHash, HashError>;

    /// Checks a password.
    ///
    /// Without a stored form the work is done all the same, against a form that
    /// no password has, and the result is [`PasswordCheck::Wrong`]. `identifier`
    /// is what the person typed as a name: it decides, by a keyed hash, what
    /// that form looks like. A stored form that is broken or asks for more
    /// than the hasher's bounds is answered likewise.
    async fn check(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
        identifier: &str,
        from: Option<IpAddr>,
    ) -> Result<PasswordCheck, HashError>;

    /// Checks a password for somebody whose client or session is known.
    ///
    /// It waits behind others of that person alone and takes turns with all
    /// strangers together, so no number of strangers can keep it waiting or out.
    async fn check_known(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
        person: UserId,
    ) -> Result<PasswordCheck, HashError>;
}
