//! A look at everything that a configuration says of AWS, which goes on after the first fault.

use std::fmt;
use std::path::PathBuf;

use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::failure::{self, Failure, Outage};
use super::web_identity;
use super::{AwsConfig, AwsConfigError, AwsCredentials, AwsEndpoint, client};
use crate::adapters::finding::{Finding, Verdict};
use crate::ports::Refusal;

/// One thing of a configuration of AWS that was looked at, and what was seen.
pub type AwsFinding = Finding<AwsPart, AwsRemark, AwsProblem>;

/// What was seen.
pub type AwsVerdict = Verdict<AwsRemark, AwsProblem>;

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AwsPart {
    /// The address of Secrets Manager, where one is given.
    Endpoint,
    /// The address of the token service, where one is given.
    TokenService,
    /// The file of the web identity's token.
    TokenFile(PathBuf),
    /// The credentials that reads are signed with.
    Credentials,
    /// As whom the token service knows them: an ARN, which is no secret.
    Caller(String),
    /// Secrets Manager.
    SecretsManager,
}

/// What could be better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AwsRemark {
    /// They may never end.
    #[error("keys of a user; those of a role end by themselves")]
    User,
    /// It is neither a user nor a role.
    #[error("neither a user nor a role; see what it may do")]
    Unknown,
}

/// What is wrong; its text names the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AwsProblem {
    /// Secrets or tokens would go over a network in the clear.
    #[error("{}", AwsConfigError::Cleartext)]
    Cleartext,
    /// There is no token to take the role with.
    #[error("cannot be read or holds no token; see that the platform lays one there")]
    NoToken,
    /// There is nothing to sign with.
    #[error(
        "none were found in environment, profile, container or instance; put them there, or name a role with a web identity"
    )]
    NoCredentials,
    /// AWS's own chain found some, and could not use them.
    #[error(
        "found by AWS's own chain and not given; see the role's trust policy and the route to the token service, and that the profile needs neither SSO nor a process, which this build has not"
    )]
    NotGiven,
    /// The token service does not take them.
    #[error(
        "not accepted; see that the keys are valid and the clock is right, or that the role's trust policy names the issuer, subject and audience of the token"
    )]
    Denied,
    /// There is no such role.
    #[error(
        "the token service does not take the role's ARN, the session's name or the token; mend the configuration"
    )]
    NoRole,
    /// It answers, but not to us.
    #[error(
        "refuses; see that the region is enabled for the account, and that nobody answers in its place"
    )]
    Refuses,
    /// Nothing limits what they may do.
    #[error(
        "the account's root user, which nothing limits; take a role that may read its secrets alone"
    )]
    Root,
    /// It cannot be asked.
    #[error(
        "cannot be asked: {0}; see that region and endpoint are right, and that a route leads there"
    )]
    Unavailable(String),
}

impl AwsConfig {
    /// Looks at the addresses, the credentials, whose they are, and whether Secrets Manager
    /// answers to them; it reads no secret, and needs no permission.
    ///
    /// Nothing is sent where an address is refused.
    pub async fn check_up(&self) -> Vec<AwsFinding> {
        let mut look = CheckUp {
            config: self,
            found: Vec::new(),
        };
        // What cannot be looked at has a finding by then.
        let _ = look.all().await;
        look.found
    }
}

/// What was found so far.
struct CheckUp<'a> {
    config: &'a AwsConfig,
    found: Vec<AwsFinding>,
}

impl CheckUp<'_> {
    async fn all(&mut self) -> Option<()> {
        let config = self.config;
        let addresses = [
            self.address(AwsPart::Endpoint, config.endpoint.as_ref()),
            self.address(AwsPart::TokenService, config.token_service.as_ref()),
        ];
        let token = self.token_file().await;
        if addresses.contains(&None) {
            return None;
        }
        token?;
        self.caller().await?;
        self.secrets_manager().await
    }

    fn address(&mut self, part: AwsPart, endpoint: Option<&AwsEndpoint>) -> Option<()> {
        let Some(endpoint) = endpoint else {
            return Some(());
        };
        if endpoint.is_cleartext() {
            self.refuse(part, AwsProblem::Cleartext);
            return None;
        }
        self.well(part, "by TLS, or on this machine");
        Some(())
    }

    async fn token_file(&mut self) -> Option<()> {
        let AwsCredentials::WebIdentity(identity) = &self.config.credentials else {
            return Some(());
        };
        let path = identity.token_file.clone();
        let part = AwsPart::TokenFile(path.clone());
        let reading = tokio::task::spawn_blocking(move || web_identity::token(&path));
        let read = tokio::time::timeout(self.config.timeouts.attempt, reading).await;
        if !matches!(read, Ok(Ok(Some(_)))) {
            self.refuse(part, AwsProblem::NoToken);
            return None;
        }
        self.well(part, "holds a token");
        Some(())
    }

    async fn caller(&mut self) -> Option<()> {
        let client = client::signing_token_service(self.config);
        let asked = Box::pin(client.get_caller_identity().send());
        let told = match asked.with_subscriber(NoSubscriber::new()).await {
            Ok(told) => told,
            Err(error) => return self.failed(AwsPart::TokenService, failure::of(&error)),
        };
        let Some(arn) = told.arn else {
            return self.failed(AwsPart::TokenService, Outage::Answer.into());
        };
        let verdict = caller(&arn);
        self.well(AwsPart::Credentials, "accepted");
        self.add(AwsPart::Caller(arn), verdict);
        Some(())
    }

    async fn secrets_manager(&mut self) -> Option<()> {
        let client = client::secrets_manager(self.config);
        // It says nothing of any secret, and being denied is an answer too.
        let asked = Box::pin(client.get_random_password().send());
        match asked.with_subscriber(NoSubscriber::new()).await {
            Ok(_) => {}
            Err(error) if error.code() == Some("AccessDeniedException") => {}
            Err(error) => return self.failed(AwsPart::SecretsManager, failure::of(&error)),
        }
        self.well(AwsPart::SecretsManager, "answers");
        Some(())
    }

    fn failed(&mut self, part: AwsPart, failure: Failure) -> Option<()> {
        match failure {
            Failure::Refused(_) | Failure::Absent if part == AwsPart::SecretsManager => {
                self.refuse(part, AwsProblem::Refuses);
            }
            Failure::Refused(Refusal::NotTaken) => {
                self.refuse(AwsPart::Credentials, AwsProblem::NoRole);
            }
            Failure::Refused(_) | Failure::Absent => {
                self.refuse(AwsPart::Credentials, AwsProblem::Denied);
            }
            Failure::Outage(Outage::Credentials) => {
                self.refuse(AwsPart::Credentials, AwsProblem::NoCredentials);
            }
            Failure::Outage(Outage::Chain) => {
                self.refuse(AwsPart::Credentials, AwsProblem::NotGiven);
            }
            Failure::Outage(outage) => {
                self.refuse(part, AwsProblem::Unavailable(outage.to_string()));
            }
        }
        None
    }

    fn well(&mut self, part: AwsPart, text: &'static str) {
        self.add(part, AwsVerdict::Well(text));
    }

    fn refuse(&mut self, part: AwsPart, problem: AwsProblem) {
        self.add(part, AwsVerdict::Refused(problem));
    }

    fn add(&mut self, part: AwsPart, verdict: AwsVerdict) {
        self.found.push(AwsFinding { part, verdict });
    }
}

/// What is to be said of whoever has this ARN: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
fn caller(arn: &str) -> AwsVerdict {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    match resource.split('/').next() {
        Some("assumed-role") => AwsVerdict::Well("keys of a role, which end by themselves"),
        Some("root") => AwsVerdict::Refused(AwsProblem::Root),
        Some("user") => AwsVerdict::Remark(AwsRemark::User),
        _ => AwsVerdict::Remark(AwsRemark::Unknown),
    }
}

impl fmt::Display for AwsPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint => f.write_str("aws endpoint"),
            Self::TokenService => f.write_str("aws token service"),
            Self::TokenFile(path) => write!(f, "aws token file {}", path.display()),
            Self::Credentials => f.write_str("aws credentials"),
            Self::Caller(arn) => write!(f, "aws caller {arn}"),
            Self::SecretsManager => f.write_str("aws secrets manager"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_user_is_refused_a_user_remarked_and_a_role_well() {
        let root = AwsVerdict::Refused(AwsProblem::Root);
        let user = AwsVerdict::Remark(AwsRemark::User);
        let unknown = AwsVerdict::Remark(AwsRemark::Unknown);
        for (arn, told) in [
            ("arn:aws:iam::123456789012:root", root.clone()),
            ("arn:aws-cn:iam::123456789012:root", root),
            ("arn:aws:iam::123456789012:user/ops/root", user.clone()),
            ("arn:aws:sts::123456789012:user/moto", user),
            ("arn:aws:iam::123456789012:role/cyprob", unknown.clone()),
            (
                "arn:aws:sts::123456789012:federated-user/a",
                unknown.clone(),
            ),
            ("root", unknown.clone()),
            ("", unknown),
        ] {
            assert_eq!(caller(arn), told, "{arn}");
        }
        let role = caller("arn:aws:sts::123456789012:assumed-role/cyprob/root");
        assert!(matches!(role, AwsVerdict::Well(_)));
    }
}
