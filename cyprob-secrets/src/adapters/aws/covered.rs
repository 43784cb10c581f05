//! Connections that carry nothing in the clear over a network.

use std::net::IpAddr;

use aws_sdk_secretsmanager::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

/// Where AWS gives credentials to an instance, a container or a pod: addresses of its own link.
const GIVERS: [&str; 5] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::254",
    "fd00:ec2::23",
];

/// A client that refuses plain HTTP but to this machine and to those who give credentials to it.
///
/// For what AWS's library takes out of the environment, which may name any address.
#[derive(Debug)]
pub(super) struct Covered(pub(super) SharedHttpClient);

#[derive(Debug)]
struct CoveredConnector(SharedHttpConnector);

#[derive(Debug, thiserror::Error)]
#[error("an address in the clear beyond this machine")]
struct InTheClear;

impl HttpClient for Covered {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.0.http_connector(settings, components);
        SharedHttpConnector::new(CoveredConnector(inner))
    }
}

impl HttpConnector for CoveredConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if is_covered(request.uri()) {
            return self.0.call(request);
        }
        let refused = ConnectorError::user(InTheClear.into());
        HttpConnectorFuture::ready(Err(refused))
    }
}

fn is_covered(uri: &str) -> bool {
    let Ok(uri) = uri.parse::<http::Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address = address.parse::<IpAddr>().ok();
    let gives = |address: &IpAddr| GIVERS.iter().any(|giver| giver.parse() == Ok(*address));
    uri.scheme_str() == Some("https")
        || host.eq_ignore_ascii_case("localhost")
        || address.is_some_and(|address| address.is_loopback() || gives(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_and_who_gives_it_credentials() {
        for good in [
            "https://sts.eu-central-1.amazonaws.com/",
            "http://127.0.0.1:5000/",
            "http://LocalHost:5000/",
            "http://[::1]:5000/",
            "http://169.254.169.254/latest/api/token",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::254]/latest",
        ] {
            assert!(is_covered(good), "{good}");
        }
        for bad in [
            "http://sts.eu-central-1.amazonaws.com/",
            "http://0.0.0.0:5000/",
            "http://169.254.169.253/",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example/",
            "http://a@10.0.0.1/",
            "http:///",
            "//127.0.0.1/",
            "",
        ] {
            assert!(!is_covered(bad), "{bad}");
        }
    }
}
