//! What a look at a configuration can find.

use std::fmt;
use std::path::PathBuf;

use crate::adapters::finding::{Finding, Verdict};
use crate::adapters::vault::{CertificateError, KvVersion, LoginRefusal, VaultMount, VaultRisk};

/// One thing of a Vault's configuration that was looked at, and what was seen.
pub type VaultFinding = Finding<VaultPart, VaultRemark, VaultProblem>;

/// What was seen.
pub type VaultVerdict = Verdict<VaultRemark, VaultProblem>;

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultPart {
    /// The address in the configuration.
    Address,
    /// The variables of the environment.
    Environment,
    /// The authorities of certificates.
    Certificates,
    /// The file of a token or secret id.
    LoginFile(PathBuf),
    /// The server.
    Server,
    /// The login.
    Login,
    /// The token that the login gives, or the file holds.
    Token,
    /// What the token's policies let it do with itself.
    Policy,
    /// A key-value engine.
    Mount(VaultMount),
}

/// Why something was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultRemark {
    /// The secret id can be taken out once, which is for the application.
    #[error(
        "sign-in not tried: the wrapped secret id can be taken out once; token, policy and mounts were not looked at"
    )]
    Wrapped,
    /// The secret id may be good for one login, which is for the application.
    #[error(
        "sign-in not tried: it would use up one use of the secret id; token, policy and mounts were not looked at"
    )]
    SecretId,
    /// Its policies do not let the token ask what it may do.
    #[error(
        "the token may not ask what it may do (sys/capabilities-self), so renewing and revoking itself were not looked at"
    )]
    Capabilities,
    /// The token ends at its time whatever is done.
    #[error("the token is not renewable: a connection signs in anew at its end")]
    NotRenewable,
    /// Its policies do not let the token look at the mount.
    #[error(
        "the policy does not let the token look at it, or nothing is mounted there; give it `read` on sys/mounts/NAME to have this looked at"
    )]
    Mount,
}

/// What is wrong; its text names the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultProblem {
    /// A connection refuses that.
    #[error("{0}")]
    Risk(VaultRisk),
    /// The authorities cannot be used.
    #[error("{0}")]
    Certificates(CertificateError),
    /// The file, or the server, says no to the login.
    #[error("{0}")]
    Login(LoginRefusal),
    /// The file is there and the system does not let it be read.
    #[error("cannot be read: {0}; let the user of this process read it")]
    Unreadable(String),
    /// The server cannot be asked.
    #[error("cannot be asked: {0}; see that it runs, and that address and CA file are right")]
    Unavailable(String),
    /// The server holds its keys back.
    #[error("sealed, or not initialized; unseal it")]
    Sealed,
    /// A policy lacks what a connection does.
    #[error("does not allow {0}; grant it, as the policy `default` does")]
    Policy(SelfService),
    /// It lives to its end, whatever becomes of its user.
    #[error(
        "the token cannot be ended, as a batch token cannot; let the role give tokens of the type `service`"
    )]
    Batch,
    /// There is no such mount.
    #[error("nothing is mounted there; enable a key-value engine, or mend the configuration")]
    NoMount,
    /// Another engine is mounted there.
    #[error("another engine than a key-value engine is mounted there; mend the configuration")]
    OtherEngine,
    /// It has the other version.
    #[error("configured with version {}, and has {}; mend the configuration", number(*.configured), number(*.found))]
    OtherVersion {
        /// The version in the configuration.
        configured: KvVersion,
        /// The version of the engine.
        found: KvVersion,
    },
}

/// What a token does with itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelfService {
    /// It tells whether it lives.
    LookUp,
    /// It lives on.
    Renew,
    /// It ends with its user.
    Revoke,
}

const fn number(version: KvVersion) -> u8 {
    match version {
        KvVersion::V1 => 1,
        KvVersion::V2 => 2,
    }
}

impl SelfService {
    pub(super) const ALL: [Self; 3] = [Self::LookUp, Self::Renew, Self::Revoke];

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::LookUp => "auth/token/lookup-self",
            Self::Renew => "auth/token/renew-self",
            Self::Revoke => "auth/token/revoke-self",
        }
    }

    pub(super) const fn capability(self) -> &'static str {
        match self {
            Self::LookUp => "read",
            Self::Renew | Self::Revoke => "update",
        }
    }
}

impl fmt::Display for VaultPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "vault address",
            Self::Environment => "environment",
            Self::Certificates => "vault certificates",
            Self::LoginFile(path) => return write!(f, "vault login file {}", path.display()),
            Self::Server => "vault server",
            Self::Login => "vault login",
            Self::Token => "vault token",
            Self::Policy => "vault policy",
            Self::Mount(mount) => return write!(f, "vault mount {mount}"),
        })
    }
}

impl fmt::Display for SelfService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` on {}", self.capability(), self.path())
    }
}
