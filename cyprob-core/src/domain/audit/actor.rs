//! Who did it.

use serde::{Deserialize, Serialize};

use crate::domain::{KeyId, RunId, ServiceAccountId, SessionId, TokenId, UserId};

/// Who did or tried a thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A signed-in person.
    User {
        /// The person.
        id: UserId,
        /// The session that acted, where there is one.
        session: Option<SessionId>,
        /// The access token that was shown, where there is one.
        token: Option<TokenId>,
    },
    /// A worker, in the name of the person who asked for the run.
    Worker {
        /// The run it works on.
        run: RunId,
        /// The person who asked for it.
        on_behalf_of: UserId,
    },
    /// A service account, for which a person answers.
    Service {
        /// The account.
        id: ServiceAccountId,
        /// The key that it showed.
        key: KeyId,
        /// The access token that was shown, where there is one.
        token: Option<TokenId>,
        /// The person who answered for the account when the key was exchanged.
        on_behalf_of: UserId,
    },
    /// A part of the control plane itself, such as `sequencer`.
    System {
        /// The part's name.
        id: String,
    },
    /// A person at the machine's command line, with access to the data directory.
    Operator,
    /// Somebody who has not signed in.
    Anonymous,
}

impl Actor {
    /// A part of the control plane.
    #[must_use]
    pub fn system(part: &str) -> Self {
        Self::System {
            id: part.to_owned(),
        }
    }

    /// The kind's name in the trail: `user`, `worker`, `service`, `system`, `operator` or `anonymous`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Worker { .. } => "worker",
            Self::Service { .. } => "service",
            Self::System { .. } => "system",
            Self::Operator => "operator",
            Self::Anonymous => "anonymous",
        }
    }

    /// The id that names the actor within its kind, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        match self {
            Self::User { id, .. } => Some(id.to_string()),
            Self::Worker { run, .. } => Some(run.to_string()),
            Self::Service { id, .. } => Some(id.to_string()),
            Self::System { id } => Some(id.clone()),
            Self::Operator | Self::Anonymous => None,
        }
    }

    /// The person who acts or in whose name it is done.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. }
            | Self::Worker {
                on_behalf_of: id, ..
            }
            | Self::Service {
                on_behalf_of: id, ..
            } => Some(*id),
            Self::System { .. } | Self::Operator | Self::Anonymous => None,
        }
    }
}
