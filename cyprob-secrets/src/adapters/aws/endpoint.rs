//! The address of a service of AWS.

use std::fmt;
use std::str::FromStr;

use cyprob_core::domain::BaseUrl;

use super::AwsConfigError;

/// The address of a service in place of its region's own, such as a VPC endpoint's.
///
/// `https://host`, with a port if there is one; plain `http` for this machine alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsEndpoint(String);

impl AwsEndpoint {
    /// Takes plain `http` to any host too.
    ///
    /// Whoever sees the network between reads every secret and every session token.
    ///
    /// # Errors
    ///
    /// [`AwsConfigError::Endpoint`] if it is no address.
    pub fn dangerous(text: &str) -> Result<Self, AwsConfigError> {
        let secure = match text.strip_prefix("http://") {
            Some(rest) => format!("https://{rest}"),
            None => text.to_owned(),
        };
        let host = secure.strip_prefix("https://");
        match (secure.parse::<BaseUrl>(), host) {
            (Ok(_), Some(host)) if !host.contains('/') => Ok(Self(text.to_owned())),
            _ => Err(AwsConfigError::Endpoint),
        }
    }

    /// Whether secrets go over a network in the clear.
    pub(super) fn is_cleartext(&self) -> bool {
        // It takes plain http for loopback alone.
        self.0.parse::<BaseUrl>().is_err()
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AwsEndpoint {
    type Err = AwsConfigError;

    fn from_str(text: &str) -> Result<Self, AwsConfigError> {
        let endpoint = Self::dangerous(text)?;
        match endpoint.is_cleartext() {
            false => Ok(endpoint),
            true => Err(AwsConfigError::Cleartext),
        }
    }
}

impl fmt::Display for AwsEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
