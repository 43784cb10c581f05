//! What a connection to a Vault refuses unless the host says that it may.

use std::time::Duration;

/// A configuration that gives away more than it must; its text names the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultRisk {
    /// Whoever is on the way reads the token and every secret.
    #[error("http to another machine: token and secrets cross the network in clear; use https")]
    PlainHttp,
    /// An operator believes that certificates are not verified; here they always are.
    #[error(
        "{variable} is set in the environment; unset it, and name the authority of the server's certificate as the CA file"
    )]
    SkipVerify {
        /// The variable that is set, whatever it says.
        variable: &'static str,
    },
    /// The token may do everything.
    #[error("the token has the policy `root`; log in by a role with a policy of its own")]
    RootToken,
    /// A stolen token works for ever.
    #[error("the token never ends; use one with a time to live")]
    EndlessToken,
    /// A stolen token works for long.
    #[error("the token lives for {} s, longer than the bound of {} s; give its role a shorter term", .lives.as_secs(), .bound.as_secs())]
    LongToken {
        /// For how long it was issued.
        lives: Duration,
        /// The bound in force.
        bound: Duration,
    },
}

/// Which risks the host takes knowingly, and how long a token may live.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted {
    pub(super) plain_http: bool,
    pub(super) root_token: bool,
    pub(super) endless_token: bool,
    pub(super) longest: Duration,
}

impl Default for Accepted {
    fn default() -> Self {
        Self {
            plain_http: false,
            root_token: false,
            endless_token: false,
            longest: Duration::from_secs(24 * 3_600),
        }
    }
}
