//! Where people reach the deployment, for links in messages.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

/// The address that people open: `https://host`, with a port and a path if there are any.
///
/// Plain `http` is taken for the machine itself alone. Query, fragment and
/// credentials are refused, so a link ends with what this type adds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl(String);

/// The text cannot begin a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an address of the form https://host, at most 200 bytes; plain http for loopback alone"
)]
pub struct BaseUrlError;

impl BaseUrl {
    /// A link that carries a token in its fragment, which no client sends to a server.
    #[must_use]
    pub fn link(&self, purpose: &str, token: &SecretString) -> SecretString {
        format!("{}/#{purpose}={}", self.0, token.expose_secret()).into()
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    let v6 = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let named = match v6 {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !name.is_empty() && name.chars().all(plain),
    };
    named && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn is_loopback(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| {
        host.strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    })
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let text = text.trim_end_matches('/');
        let (rest, secure) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (rest, true),
            (None, Some(rest)) => (rest, false),
            (None, None) => return Err(BaseUrlError),
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let segment = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        let good = text.len() <= 200
            && is_host(host)
            && path.chars().all(segment)
            && (secure || is_loopback(host));
        good.then(|| Self(text.to_owned())).ok_or(BaseUrlError)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_in_the_fragment() {
        let base: BaseUrl = "https://id.example.org/console/".parse().unwrap();
        let link = base.link("reset", &"cyr_x".to_owned().into());
        assert_eq!(
            link.expose_secret(),
            "https://id.example.org/console/#reset=cyr_x"
        );
    }

    #[test]
    fn takes_addresses_and_refuses_what_would_end_elsewhere() {
        for good in [
            "https://a.example",
            "https://a.example:8443/x-y",
            "http://127.0.0.1:8480",
            "http://[::1]:1",
            "http://localhost",
            "https://[2001:db8::1]:8443",
        ] {
            assert!(good.parse::<BaseUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "https://",
            "http://a.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "https://a@b.example",
            "https://a.example?x",
            "https://a.example/#x",
            "https://a.example/\r\nBcc: x",
            "https://a.example:0",
            "https://a.example:99999",
            "ftp://a.example",
            "https://é.example",
        ] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }
}
