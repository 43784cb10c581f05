//! How a connection to a Vault is configured.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cyprob_core::ports::{Clock, Entropy};

use super::connection::{Vault, VaultError};
use super::login::VaultLogin;
use super::risk::Accepted;
use super::{VaultAddress, VaultNamespace, VaultRisk};

/// The variables by which other clients turn the verification of certificates off.
pub(super) const SKIP_VERIFY: [&str; 2] = ["VAULT_SKIP_VERIFY", "BAO_SKIP_VERIFY"];

/// A configuration that says no login yet.
#[derive(Clone, Copy, Debug)]
pub struct NoLogin;

/// The configuration of a connection, in the order of its decisions: where, then how to log in.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use cyprob_secrets::adapters::vault::{AppRole, SecretId, Vault, VaultError};
/// # async fn f(clock: Arc<dyn cyprob_core::ports::Clock>, entropy: Arc<dyn cyprob_core::ports::Entropy>)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// let secret_id = SecretId::wrapped_in("/run/cyprob/secret-id");
/// let vault = Vault::builder("https://vault.example:8200".parse()?)
///     .ca_file("/etc/cyprob/vault-ca.pem")
///     .login(AppRole::new("9a4f7f7e-role", secret_id).role_name("cyprob".parse()?))
///     .connect(clock, entropy)
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "nothing is connected before `connect`"]
pub struct VaultBuilder<L = NoLogin> {
    pub(super) address: VaultAddress,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) namespace: Option<VaultNamespace>,
    pub(super) timeout: Duration,
    pub(super) accepted: Accepted,
    pub(super) login: L,
}

/// Choices that weaken a connection; each says what it gives up.
#[derive(Debug)]
#[must_use = "end it with `done`"]
pub struct Accepting<L>(VaultBuilder<L>);

impl VaultBuilder<NoLogin> {
    pub(super) fn new(address: VaultAddress) -> Self {
        Self {
            address,
            ca_file: None,
            namespace: None,
            timeout: Duration::from_secs(5),
            accepted: Accepted::default(),
            login: NoLogin,
        }
    }

    /// How it logs in.
    pub fn login(self, login: impl Into<VaultLogin>) -> VaultBuilder<VaultLogin> {
        VaultBuilder {
            address: self.address,
            ca_file: self.ca_file,
            namespace: self.namespace,
            timeout: self.timeout,
            accepted: self.accepted,
            login: login.into(),
        }
    }
}

impl<L> VaultBuilder<L> {
    /// A PEM file with the authorities that may vouch for the server; without it, those of the system.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// The namespace in which it logs in and reads.
    pub fn namespace(mut self, namespace: VaultNamespace) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// How long one call may take; 5 s unless stated, and 2 s of it to connect.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The longest life of a token that is accepted: 24 hours, or less as stated.
    ///
    /// More is among the choices of [`Self::dangerous`].
    pub fn longest_token(mut self, bound: Duration) -> Self {
        self.accepted.longest = self.accepted.longest.min(bound);
        self
    }

    /// Opens the choices that weaken it.
    pub fn dangerous(self) -> Accepting<L> {
        Accepting(self)
    }

    /// What is refused of it without asking the server.
    ///
    /// What the token may do is known only after the login.
    #[must_use]
    pub fn risks(&self) -> Vec<VaultRisk> {
        self.risks_with(|variable| std::env::var_os(variable).is_some())
    }

    fn risks_with(&self, is_set: impl Fn(&str) -> bool) -> Vec<VaultRisk> {
        let plain = self.address.is_plain() && !self.address.is_loopback();
        let plain = (plain && !self.accepted.plain_http).then_some(VaultRisk::PlainHttp);
        let set = SKIP_VERIFY.into_iter().filter(|variable| is_set(variable));
        let unverified = set.map(|variable| VaultRisk::SkipVerify { variable });
        plain.into_iter().chain(unverified).collect()
    }
}

impl VaultBuilder<VaultLogin> {
    /// Logs in, and keeps the token alive from then on until the last clone drops.
    ///
    /// Call it within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`VaultError::Risk`] for what is not safe, `Certificates` for a CA file
    /// that cannot be used, `Login` if the server does not accept the login,
    /// `Unavailable` if it cannot be reached.
    pub async fn connect(
        self,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Vault, VaultError> {
        if let Some(risk) = self.risks().first() {
            return Err(VaultError::Risk(*risk));
        }
        Vault::open(self, clock, entropy).await
    }
}

impl<L> Accepting<L> {
    /// Sends token and secrets in clear over a network.
    pub fn plain_http(mut self) -> Self {
        self.0.accepted.plain_http = true;
        self
    }

    /// Works with a token that may do everything.
    pub fn root_token(mut self) -> Self {
        self.0.accepted.root_token = true;
        self
    }

    /// Works with a token that never ends.
    pub fn endless_token(mut self) -> Self {
        self.0.accepted.endless_token = true;
        self
    }

    /// Works with tokens that live for more than 24 hours, up to this.
    pub fn long_token(mut self, bound: Duration) -> Self {
        self.0.accepted.longest = bound;
        self
    }

    /// Back to the other choices.
    pub fn done(self) -> VaultBuilder<L> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> VaultBuilder {
        VaultBuilder::new(address.parse().unwrap())
    }

    #[test]
    fn plain_http_and_skip_verify_are_refused() {
        let remote = at("http://vault.example:8200");
        assert_eq!(remote.risks_with(|_| false), [VaultRisk::PlainHttp]);
        let skipping = SKIP_VERIFY.map(|variable| VaultRisk::SkipVerify { variable });
        let all = [&[VaultRisk::PlainHttp], &skipping[..]].concat();
        assert_eq!(remote.risks_with(|_| true), all);
        let taken = remote.dangerous().plain_http().done();
        assert_eq!(taken.risks_with(|_| false), []);
        // nothing accepts that: there is nothing to turn off
        assert_eq!(taken.risks_with(|_| true), skipping);
        for (variable, risk) in SKIP_VERIFY.into_iter().zip(skipping) {
            assert_eq!(taken.risks_with(|set| set == variable), [risk]);
        }
        for safe in ["https://vault.example", "http://127.0.0.1:8200"] {
            assert_eq!(at(safe).risks_with(|_| false), []);
        }
    }
}
