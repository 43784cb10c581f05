//! Requests to a Vault over HTTP, with bounds on time and size.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::{HeaderValue, Request};
use rustify::Endpoint;
use vaultrs::api::EndpointMiddleware;
use zeroize::Zeroizing;

use super::fault::{Fault, Outage};
use super::reply::Reply;
use super::tls::{self, CertificateError};
use super::{VaultAddress, VaultNamespace};

/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 2 * 1_024 * 1_024;
/// And of a list, in which every name of a folder stands: some 800,000 of 40 letters.
const MAX_LIST: usize = 32 * 1_024 * 1_024;
const CONNECT: Duration = Duration::from_secs(2);
const TOKEN: &str = "X-Vault-Token";

pub(super) struct Transport {
    http: reqwest::Client,
    base: String,
    namespace: Option<VaultNamespace>,
}

/// A request without its token; it can be sent again.
pub(super) struct Prepared(Request<Vec<u8>>);

impl Transport {
    pub(super) fn new(
        address: &VaultAddress,
        ca_file: Option<&std::path::Path>,
        namespace: Option<VaultNamespace>,
        timeout: Duration,
    ) -> Result<Self, CertificateError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT.min(timeout))
            .timeout(timeout)
            .tls_backend_preconfigured(tls_for(address, ca_file)?);
        Ok(Self {
            http: client.build().map_err(|_| CertificateError::Setup)?,
            base: address.as_str().to_owned(),
            namespace,
        })
    }

    /// A request in the namespace of the connection.
    pub(super) fn prepare(&self, endpoint: impl Endpoint) -> Result<Prepared, Fault> {
        self.prepare_in(None, endpoint)
    }

    /// A request in a namespace below that of the connection.
    pub(super) fn prepare_in(
        &self,
        below: Option<&VaultNamespace>,
        endpoint: impl Endpoint,
    ) -> Result<Prepared, Fault> {
        let namespace = match (&self.namespace, below) {
            (Some(own), Some(below)) => Some(own.below(below)),
            (own, below) => below.or(own.as_ref()).cloned(),
        };
        // The token is not given to it: it would keep a copy and print it.
        let middle = EndpointMiddleware {
            token: String::new(),
            version: "v1".to_owned(),
            wrap: None,
            namespace: namespace.map(|namespace| namespace.to_string()),
        };
        let request = endpoint.with_middleware(&middle).request(&self.base);
        request.map(Prepared).map_err(|_| Outage::Garbled.into())
    }

    pub(super) async fn send(
        &self,
        prepared: &Prepared,
        token: Option<&HeaderValue>,
    ) -> Result<Reply, Fault> {
        let mut request = prepared.0.clone();
        if let Some(token) = token {
            request.headers_mut().insert(TOKEN, token.clone());
        }
        let request = reqwest::Request::try_from(request).map_err(|_| Outage::Garbled)?;
        let mut response = self.http.execute(request).await.map_err(outage)?;
        let status = response.status().as_u16();
        // Grown once at most, and wiped: what it holds may be a secret.
        let length = response.content_length().unwrap_or(4_096);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let most = match prepared.0.method().as_str() {
            "LIST" => MAX_LIST,
            _ => MAX_ANSWER,
        };
        if length > most {
            return Err(Outage::TooLarge { most }.into());
        }
        let mut body = Zeroizing::new(Vec::with_capacity(length));
        while let Some(chunk) = response.chunk().await.map_err(outage)? {
            if body.len() + chunk.len() > most {
                return Err(Outage::TooLarge { most }.into());
            }
            body.extend_from_slice(&chunk);
        }
        Reply::judge(status, body)
    }
}

fn tls_for(
    address: &VaultAddress,
    ca_file: Option<&std::path::Path>,
) -> Result<rustls::ClientConfig, CertificateError> {
    match tls::config(ca_file) {
        // Nothing is verified there, so a system without authorities does not matter.
        Err(CertificateError::NoneOfSystem) if address.is_plain() => tls::trusting_nobody(),
        other => other,
    }
}

/// What went wrong on the way; of its text only what the system or the TLS library says.
fn outage(error: reqwest::Error) -> Outage {
    if error.is_timeout() {
        return Outage::Timeout;
    }
    if !error.is_connect() {
        return Outage::Broken;
    }
    let mut innermost: &dyn Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    Outage::Connect(innermost.to_string())
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("base", &self.base)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
