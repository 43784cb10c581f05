//! What can come of a call to a Vault.

use super::login::LoginRefusal;

/// A call that gave no answer to work with; nothing of it repeats what was sent or answered.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Outage(#[from] Outage),
    /// 403: the token is dead, or its policies do not allow the call.
    #[error("denied")]
    Denied,
    /// 404.
    #[error("not there")]
    Missing {
        /// The last version of a secret that is gone; zero if there was none.
        last: u64,
    },
    /// 404 of a path that nothing answers: no engine is mounted there, or there is no such namespace.
    #[error("no engine or namespace there")]
    NoPlace,
    /// 400 or 405.
    #[error("rejected: {0}")]
    Rejected(Complaint),
    /// There is no token, and none is to be had.
    #[error("no login: {0}")]
    Login(#[from] LoginRefusal),
}

/// The server cannot be asked at the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Outage {
    #[error("no answer in time")]
    Timeout,
    #[error("cannot connect: {0}")]
    Connect(String),
    #[error("cannot read a file of the login: {0}")]
    File(String),
    #[error("the connection broke off")]
    Broken,
    #[error("sealed, or not initialized")]
    Sealed,
    #[error("asked too often (429)")]
    Busy,
    #[error("a standby that does not forward; name the active node or a load balancer")]
    Standby,
    #[error("others wrote the same secret faster, again and again")]
    Raced,
    #[error("the engine is being set up; ask again in a moment")]
    SettingUp,
    #[error("behind the node that was written to (412)")]
    Behind,
    #[error("status {0}")]
    Status(u16),
    #[error("an answer of more than {most} bytes")]
    TooLarge { most: usize },
    #[error("an answer that is not what the API states")]
    Garbled,
}

/// What a 400 is about, by its text, which is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Complaint {
    #[error("another version is the newest")]
    Cas,
    #[error("the lease is gone")]
    Lease,
    #[error("the wrapping token is not valid")]
    Wrapping,
    #[error("the login is not valid")]
    Login,
    #[error("there is no such role")]
    NoRole,
    #[error("something is mounted there")]
    Mounted,
    #[error("the engine is being set up")]
    SettingUp,
    #[error("for another reason")]
    Other,
}

impl Complaint {
    pub(super) fn of(text: &str) -> Self {
        let says = |words: &str| text.contains(words);
        if says("check-and-set") {
            Self::Cas
        } else if says("lease not found") || says("lease expired") || says("lease is not renewable")
        {
            Self::Lease
        } else if says("wrapping token is not valid") {
            Self::Wrapping
        } else if says("path is already in use") {
            Self::Mounted
        } else if says("Upgrading from non-versioned") || says("primary to upgrade") {
            Self::SettingUp
        } else if says("unknown role") {
            Self::NoRole
        } else if says("invalid role") || says("secret id") || says("secret ID") {
            Self::Login
        } else {
            Self::Other
        }
    }
}
