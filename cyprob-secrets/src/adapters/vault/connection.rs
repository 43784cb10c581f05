//! A connection to a Vault.

use std::sync::Arc;

use cyprob_core::domain::Timestamp;
use cyprob_core::ports::{Clock, Entropy};
use rustify::Endpoint;
use tokio::sync::watch;

use super::builder::VaultBuilder;
use super::fault::Fault;
use super::login::{LoginRefusal, VaultLogin};
use super::reply::Reply;
use super::session::Session;
use super::tls::CertificateError;
use super::transport::Transport;
use super::{VaultAddress, VaultNamespace, VaultRisk};
use crate::ports::BoxError;

/// A connection to a Vault, with a token that it keeps alive; clones share it.
#[derive(Clone, Debug)]
pub struct Vault {
    session: Arc<Session>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The configuration gives away more than it must.
    #[error("vault: {0}")]
    Risk(VaultRisk),
    /// The authorities of certificates cannot be used.
    #[error("vault: {0}")]
    Certificates(#[from] CertificateError),
    /// The server, or a look at the files, says no to the login.
    #[error("vault: {0}")]
    Login(LoginRefusal),
    /// The server did not end the token: it was over already, or may not end itself.
    #[error(
        "vault: the token is over, or may not end itself: grant update on auth/token/revoke-self"
    )]
    NotEnded,
    /// The server cannot be asked at the moment.
    #[error("vault unavailable")]
    Unavailable {
        /// The cause, for the log.
        #[source]
        source: BoxError,
    },
}

/// How a connection stands, for health and posture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultStanding {
    /// Whether there is a token that has not ended.
    pub logged_in: bool,
    /// When the token ends; nothing if there is none, or if it never does.
    pub ends_at: Option<Timestamp>,
    /// Why the last login was refused, if it was.
    pub refusal: Option<LoginRefusal>,
}

impl Vault {
    /// Begins the configuration of a connection.
    pub fn builder(address: VaultAddress) -> VaultBuilder {
        VaultBuilder::new(address)
    }

    pub(super) async fn open(
        builder: VaultBuilder<VaultLogin>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, VaultError> {
        let ca_file = builder.ca_file.as_deref();
        let transport = Transport::new(
            &builder.address,
            ca_file,
            builder.namespace,
            builder.timeout,
        )?;
        let session = Session::new(transport, builder.login, builder.accepted, clock, entropy);
        let session = Arc::new(session);
        session.token().await.map_err(VaultError::from_login)?;
        tokio::spawn(Session::keep_alive(Arc::downgrade(&session)));
        Ok(Self { session })
    }

    /// How it stands now; asks nobody.
    #[must_use]
    pub fn standing(&self) -> VaultStanding {
        let at = self.session.now();
        let token = self.session.current();
        let ends_at = token
            .as_ref()
            .and_then(|token| token.lease())
            .map(|lease| lease.ends_at());
        VaultStanding {
            logged_in: token.is_some() && ends_at.is_none_or(|ends_at| at < ends_at),
            ends_at,
            refusal: match self.session.last_failure() {
                Some(Fault::Login(refusal)) => Some(refusal),
                _ => None,
            },
        }
    }

    /// Tells when logins begin to be refused and why, and when one succeeds again.
    ///
    /// Raise an alarm by it: [`LoginRefusal::AlreadyUnwrapped`] means that somebody else may hold
    /// the secret id.
    ///
    /// ```
    /// # use cyprob_secrets::adapters::vault::{LoginRefusal, Vault};
    /// async fn alarm(vault: Vault) {
    ///     let mut refusals = vault.refusals();
    ///     while refusals.changed().await.is_ok() {
    ///         let refusal = *refusals.borrow_and_update();
    ///         if refusal == Some(LoginRefusal::AlreadyUnwrapped) {
    ///             // To the audit trail, and to whoever is on duty.
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn refusals(&self) -> watch::Receiver<Option<LoginRefusal>> {
        self.session.refusals()
    }

    /// Ends the token at the server; the connection logs in again when it is used again.
    ///
    /// Not for a token that another program keeps: it would end for that program too.
    ///
    /// # Errors
    ///
    /// [`VaultError::Unavailable`] if the server cannot be asked, [`VaultError::NotEnded`] if it
    /// answers 403; the token may live on.
    pub async fn log_out(&self) -> Result<(), VaultError> {
        match self.session.end().await {
            Ok(()) => Ok(()),
            Err(Fault::Denied) => Err(VaultError::NotEnded),
            Err(fault) => Err(VaultError::unavailable(fault)),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.session.now()
    }

    pub(super) async fn call(&self, endpoint: impl Endpoint) -> Result<Reply, Fault> {
        self.call_in(None, endpoint).await
    }

    /// A call in a namespace below that of the connection.
    pub(super) async fn call_in(
        &self,
        below: Option<&VaultNamespace>,
        endpoint: impl Endpoint,
    ) -> Result<Reply, Fault> {
        let request = self.session.transport.prepare_in(below, endpoint)?;
        self.session.call(&request).await
    }
}

impl VaultError {
    fn unavailable(fault: Fault) -> Self {
        Self::Unavailable {
            source: Box::new(fault),
        }
    }

    fn from_login(fault: Fault) -> Self {
        match fault {
            Fault::Login(LoginRefusal::Risk(risk)) => Self::Risk(risk),
            Fault::Login(refusal) => Self::Login(refusal),
            other => Self::unavailable(other),
        }
    }
}
