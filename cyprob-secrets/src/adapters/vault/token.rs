//! The token of a connection.

use std::fmt;
use std::time::Duration;

use cyprob_core::domain::Timestamp;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::fault::{Fault, Outage};
use super::login::LoginRefusal;
use super::reply::Reply;
use super::risk::{Accepted, VaultRisk};
use crate::domain::Lease;

/// A token as a login gives it.
pub(super) struct Issued {
    pub(super) token: SecretString,
    /// For how long it was issued; nothing if it never ends.
    pub(super) lives: Option<Duration>,
    pub(super) renewable: bool,
    pub(super) root: bool,
}

/// The token in use.
pub(super) struct Token {
    header: HeaderValue,
    /// Nothing if it never ends.
    lease: Option<Lease>,
    renewable: bool,
    chance: u16,
}

#[derive(Deserialize)]
struct Login {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: SecretString,
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
    #[serde(default)]
    policies: Vec<String>,
}

#[derive(Deserialize)]
struct Looked {
    ttl: u64,
    /// Nothing if it never ends; in its last second the other says zero too.
    expire_time: Option<String>,
    #[serde(default)]
    renewable: bool,
    #[serde(default)]
    policies: Vec<String>,
}

impl Issued {
    /// What a login or a renewal answers.
    pub(super) fn of_login(reply: &Reply) -> Result<Self, Fault> {
        let Auth {
            client_token,
            lease_duration,
            renewable,
            policies,
        } = reply.read::<Login>()?.auth;
        let lives = (lease_duration > 0).then(|| Duration::from_secs(lease_duration));
        Ok(Self::new(client_token, lives, renewable, &policies))
    }

    /// What a look at a token answers.
    pub(super) fn of_lookup(token: SecretString, reply: &Reply) -> Result<Self, Fault> {
        let Looked {
            ttl,
            expire_time,
            renewable,
            policies,
        } = reply.data()?;
        let lives = expire_time.map(|_| Duration::from_secs(ttl));
        Ok(Self::new(token, lives, renewable, &policies))
    }

    fn new(
        token: SecretString,
        lives: Option<Duration>,
        renewable: bool,
        policies: &[String],
    ) -> Self {
        Self {
            token,
            lives,
            renewable,
            root: policies.iter().any(|policy| policy == "root"),
        }
    }

    /// Every risk that it takes and the host does not.
    pub(super) fn risks(&self, accepted: &Accepted) -> impl Iterator<Item = VaultRisk> + use<> {
        let root = (self.root && !accepted.root_token).then_some(VaultRisk::RootToken);
        let long = match self.lives {
            None if !accepted.endless_token => Some(VaultRisk::EndlessToken),
            Some(lives) if lives > accepted.longest => Some(VaultRisk::LongToken {
                lives,
                bound: accepted.longest,
            }),
            _ => None,
        };
        root.into_iter().chain(long)
    }

    /// The token to work with, if it takes no risk that the host does not.
    pub(super) fn accept(
        &self,
        accepted: &Accepted,
        at: Timestamp,
        chance: u16,
    ) -> Result<Token, Fault> {
        if let Some(risk) = self.risks(accepted).next() {
            return Err(LoginRefusal::Risk(risk).into());
        }
        let header = header(&self.token)?;
        Ok(Token {
            header,
            lease: self.lives.map(|lives| Lease::new(at, lives)),
            chance,
            renewable: self.renewable,
        })
    }
}

impl Token {
    pub(super) const fn header(&self) -> &HeaderValue {
        &self.header
    }

    pub(super) const fn lease(&self) -> Option<Lease> {
        self.lease
    }

    /// When it is to be renewed; nothing if it never ends.
    pub(super) fn renews_at(&self) -> Option<Timestamp> {
        self.lease.map(|lease| lease.renews_at(self.chance))
    }

    pub(super) const fn is_renewable(&self) -> bool {
        self.renewable
    }
}

/// A token as a header that no log prints; one with a line ending or other strange bytes is none.
pub(super) fn header(token: &SecretString) -> Result<HeaderValue, Fault> {
    let mut header = HeaderValue::from_str(token.expose_secret()).map_err(|_| Outage::Garbled)?;
    header.set_sensitive(true);
    Ok(header)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("lease", &self.lease)
            .field("renewable", &self.renewable)
            .finish_non_exhaustive()
    }
}
