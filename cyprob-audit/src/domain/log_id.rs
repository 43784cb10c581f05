//! Which logs a deployment keeps, and their origins.

use std::fmt;
use std::str::FromStr;

use cyprob_core::domain::OrgId;

use super::note::{KeyName, KeyNameError};

/// The text names no log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log: neither `system` nor an organization's id")]
pub struct LogIdError;

/// One log of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogId {
    /// Events that belong to no organization.
    System,
    /// The events of one organization.
    Org(OrgId),
}

impl LogId {
    /// The log in which an event of this organization, or of none, belongs.
    #[must_use]
    pub fn of(org: Option<OrgId>) -> Self {
        org.map_or(Self::System, Self::Org)
    }

    /// The organization whose log it is; none for the system's.
    #[must_use]
    pub const fn org(self) -> Option<OrgId> {
        match self {
            Self::System => None,
            Self::Org(org) => Some(org),
        }
    }
}

/// `system` or the organization's id: also the name of the log's directory.
impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Org(org) => org.fmt(f),
        }
    }
}

impl FromStr for LogId {
    type Err = LogIdError;

    fn from_str(text: &str) -> Result<Self, LogIdError> {
        if text == "system" {
            return Ok(Self::System);
        }
        text.parse().map(Self::Org).map_err(|_| LogIdError)
    }
}

/// The names under which a deployment's logs are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    deployment: KeyName,
}

impl Origins {
    /// The longest name of a deployment, in bytes, that leaves room for an organization's id.
    const MAX_BYTES: usize = 192;

    /// The origins of a deployment of this name, such as `audit.example.com`.
    ///
    /// # Errors
    ///
    /// [`KeyNameError`] if it is no key name, ends in a slash or passes 192 bytes.
    pub fn new(deployment: &str) -> Result<Self, KeyNameError> {
        if deployment.len() > Self::MAX_BYTES || deployment.ends_with('/') {
            return Err(KeyNameError);
        }
        Ok(Self {
            deployment: deployment.parse()?,
        })
    }

    /// The deployment's own name.
    #[must_use]
    pub const fn deployment(&self) -> &KeyName {
        &self.deployment
    }

    /// What stands before an organization's id in the origin of its log.
    #[must_use]
    pub fn org_prefix(&self) -> String {
        format!("{}/", self.deployment)
    }

    /// The origin of a log.
    ///
    /// # Errors
    ///
    /// None for a value of [`Origins::new`]; the type says so nowhere.
    pub fn origin(&self, log: LogId) -> Result<KeyName, KeyNameError> {
        format!("{}/{log}", self.deployment).parse()
    }
}

#[cfg(test)]
mod tests {
    use cyprob_core::domain::{Id as _, Timestamp};

    use super::*;

    #[test]
    fn every_log_has_a_name_of_its_own() {
        let org = OrgId::from_random(Timestamp::from_seconds(1), [7; 10]);
        let origins = Origins::new("audit.example.com").unwrap();
        let system = origins.origin(LogId::System).unwrap();
        assert_eq!(system.as_str(), "audit.example.com/system");
        let own = origins.origin(LogId::of(Some(org))).unwrap();
        assert_eq!(own.as_str(), format!("{}{org}", origins.org_prefix()));
        for log in [LogId::System, LogId::Org(org)] {
            assert_eq!(log.to_string().parse::<LogId>().unwrap(), log);
        }
        for text in [
            "",
            "System",
            "..",
            "org_",
            "org_00000000000000000000000000000000",
        ] {
            assert!(text.parse::<LogId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_deployment_name_leaves_room_for_its_logs() {
        let longest = "x".repeat(192);
        let org = OrgId::from_random(Timestamp::from_seconds(1), [7; 10]);
        let origins = Origins::new(&longest).unwrap();
        assert!(origins.origin(LogId::Org(org)).is_ok());
        for name in ["", "a b", "a+b", "a/", &"x".repeat(193)] {
            assert!(Origins::new(name).is_err(), "{name}");
        }
    }
}
