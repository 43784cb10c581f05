//! How bad a finding is.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The five severities of Cyprob's format, in lower case only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// The word used in files and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "info" => Self::Info,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "critical" => Self::Critical,
            _ => return Err(()),
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A severity as a file states it.
///
/// Fixed mode loads only files whose severities are known; compat mode carries
/// an unknown word through, as Cyprob's engine does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SeverityLabel {
    /// One of the five.
    Known(Severity),
    /// Any other word, as written.
    AsWritten(Box<str>),
}

impl SeverityLabel {
    /// Reads a word.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        text.parse()
            .map_or_else(|()| Self::AsWritten(text.into()), Self::Known)
    }

    /// The word used in output.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(severity) => severity.as_str(),
            Self::AsWritten(text) => text,
        }
    }
}

impl Serialize for SeverityLabel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
