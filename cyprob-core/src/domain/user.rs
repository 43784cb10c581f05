//! People.

use super::{DisplayName, Email, Epoch, PasswordHash, Timestamp, UserId};

/// A person's account.
#[derive(Clone, Debug)]
pub struct User {
    /// The account's id.
    pub id: UserId,
    /// The sign-in name, unique in the deployment.
    pub email: Email,
    /// Whether the address was shown to be the person's; an account made from a token that its inviter saw is not.
    pub email_verified: bool,
    /// The name for people.
    pub name: DisplayName,
    /// The stored password, if there is one.
    pub password: Option<PasswordHash>,
    /// Ends all sessions when it grows.
    pub epoch: Epoch,
    /// Whether the person administers the deployment.
    pub administrator: bool,
    /// When the account was switched off, if it was.
    pub disabled_at: Option<Timestamp>,
    /// When the account was made.
    pub created_at: Timestamp,
}
