//! Where a Vault is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

/// The address of a Vault: `https://host:port`, without path, user, query or fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultAddress(Url);

/// A text that is no address of a Vault; it repeats nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultAddressError {
    /// It cannot be read as an address.
    #[error("not an address; write https://host:port")]
    Unreadable,
    /// Neither `https` nor `http`.
    #[error("neither https nor http; write https://host:port")]
    Scheme,
    /// It holds a user or a password.
    #[error("holds a user or password; leave them out and configure a login")]
    UserInfo,
    /// It holds a path, a query or a fragment.
    #[error("holds a path, query or fragment; write host and port alone")]
    More,
}

impl VaultAddress {
    /// Whether it is without TLS.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether it names this machine by a loopback address or as `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            None => false,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for VaultAddress {
    type Err = VaultAddressError;

    fn from_str(text: &str) -> Result<Self, VaultAddressError> {
        // The reader of addresses would drop these without a word.
        let strange = |c: char| c.is_ascii_control() || c.is_whitespace() || c == '\\';
        if text.contains(strange) {
            return Err(VaultAddressError::Unreadable);
        }
        let url = Url::parse(text).map_err(|_| VaultAddressError::Unreadable)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(VaultAddressError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(VaultAddressError::UserInfo);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(VaultAddressError::More);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for VaultAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for VaultAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_host_and_port() {
        for (text, plain, loopback) in [
            ("https://vault.example:8200", false, false),
            ("http://127.0.0.1:8200", true, true),
            ("http://[::1]:8200/", true, true),
            ("http://localhost", true, true),
            ("http://localhost.example", true, false),
            ("http://10.0.0.1", true, false),
        ] {
            let address: VaultAddress = text.parse().unwrap();
            let is = (address.is_plain(), address.is_loopback());
            assert_eq!(is, (plain, loopback), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_without_repeating_it() {
        use VaultAddressError::{More, Scheme, Unreadable, UserInfo};
        for (text, error) in [
            ("", Unreadable),
            ("vault.example:8200\n", Unreadable),
            ("https://vault.example:8200\n", Unreadable),
            ("https://vault.example:99999", Unreadable),
            ("https://vault\\.example", Unreadable),
            ("https://", Unreadable),
            ("ftp://vault.example", Scheme),
            ("unix:/run/vault", Scheme),
            ("https://user:hunter2@vault.example", UserInfo),
            ("https://vault.example/v1", More),
            ("https://vault.example/?token=hunter2", More),
            ("https://vault.example/#x", More),
        ] {
            assert_eq!(text.parse::<VaultAddress>().unwrap_err(), error, "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
