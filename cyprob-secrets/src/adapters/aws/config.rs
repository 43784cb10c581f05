//! What a deployment says about its AWS account.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{AwsCredentials, AwsEndpoint};

/// Where secrets are read, as whom, and for how long at most.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    pub(super) region: AwsRegion,
    pub(super) credentials: AwsCredentials,
    pub(super) endpoint: Option<AwsEndpoint>,
    pub(super) token_service: Option<AwsEndpoint>,
    pub(super) timeouts: AwsTimeouts,
}

/// How long AWS may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwsTimeouts {
    /// To take a connection; 2 s.
    pub connect: Duration,
    /// For one attempt, up to the end of its answer; 5 s.
    pub attempt: Duration,
    /// For a read with all its attempts; 10 s.
    pub all: Duration,
}

/// The name of a region, such as `eu-central-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsRegion(String);

/// A text that names nothing of AWS's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AwsConfigError {
    /// No region.
    #[error("no region; write one as eu-central-1")]
    Region,
    /// No address.
    #[error("no endpoint; write https://host or https://host:port")]
    Endpoint,
    /// Secrets would go over a network in the clear.
    #[error("an endpoint in the clear beyond this machine; write https://, or say `dangerous`")]
    Cleartext,
    /// No role.
    #[error("no role; write it as arn:aws:iam::123456789012:role/name")]
    Role,
    /// No name of a session.
    #[error("no session name; write 2 to 64 letters, digits and `_ + = , . @ -`")]
    Session,
}

impl AwsConfig {
    /// Reads secrets of this region with these credentials.
    #[must_use]
    pub fn new(region: AwsRegion, credentials: AwsCredentials) -> Self {
        Self {
            region,
            credentials,
            endpoint: None,
            token_service: None,
            timeouts: AwsTimeouts::default(),
        }
    }

    /// Asks Secrets Manager at this address in place of the region's own.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: AwsEndpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Asks the token service (STS) at this address in place of the region's own: for a web
    /// identity, and when it is looked whose the credentials are.
    ///
    /// AWS's own chain asks where the environment and the profile say, by HTTPS.
    #[must_use]
    pub fn with_token_service(mut self, endpoint: AwsEndpoint) -> Self {
        self.token_service = Some(endpoint);
        self
    }

    /// Waits for so long.
    #[must_use]
    pub const fn with_timeouts(mut self, timeouts: AwsTimeouts) -> Self {
        self.timeouts = timeouts;
        self
    }
}

impl Default for AwsTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            attempt: Duration::from_secs(5),
            all: Duration::from_secs(10),
        }
    }
}

impl AwsRegion {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AwsRegion {
    type Err = AwsConfigError;

    /// Reads 2 to 32 of `a-z 0-9 -`, a letter first and no `-` last: it becomes part of a host's name.
    fn from_str(text: &str) -> Result<Self, AwsConfigError> {
        let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let good = (2..=32).contains(&text.len())
            && text.bytes().all(allowed)
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-');
        good.then(|| Self(text.to_owned()))
            .ok_or(AwsConfigError::Region)
    }
}

impl fmt::Display for AwsRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
