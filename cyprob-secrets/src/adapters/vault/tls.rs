//! Which certificates a connection to a Vault trusts.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Why the authorities of certificates could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The CA file cannot be read.
    #[error("the CA file cannot be read")]
    Unreadable,
    /// The CA file holds no certificate in PEM form that can be an authority.
    #[error("the CA file holds no usable certificate; write PEM certificates of authorities")]
    NoCertificate,
    /// The system has no authorities, and no CA file was named.
    #[error("the system names no certificate authorities; name a CA file")]
    NoneOfSystem,
    /// The TLS library refuses.
    #[error("TLS cannot be set up")]
    Setup,
}

/// Verifies certificates against a file, or else against what the system trusts.
pub(super) fn config(ca_file: Option<&Path>) -> Result<ClientConfig, CertificateError> {
    let mut roots = RootCertStore::empty();
    let none = match ca_file {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|_| CertificateError::Unreadable)?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|_| CertificateError::NoCertificate)?;
                roots
                    .add(certificate)
                    .map_err(|_| CertificateError::NoCertificate)?;
            }
            CertificateError::NoCertificate
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            CertificateError::NoneOfSystem
        }
    };
    if roots.is_empty() {
        return Err(none);
    }
    trusting(roots)
}

/// Verifies every certificate, and finds none good.
pub(super) fn trusting_nobody() -> Result<ClientConfig, CertificateError> {
    trusting(RootCertStore::empty())
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, CertificateError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| CertificateError::Setup)?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}
