//! A plugin as its file states it, before any mode gives it a meaning.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Digest, PluginId, Position, SeverityLabel, Value};

/// What a plugin is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PluginType {
    /// Judges facts.
    Evaluation,
    /// Formats results.
    Output,
    /// Talks to other systems.
    Integration,
    /// Any other word, as written; loads in compat mode only.
    Other(Box<str>),
}

impl PluginType {
    /// Reads a word.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "evaluation" => Self::Evaluation,
            "output" => Self::Output,
            "integration" => Self::Integration,
            other => Self::Other(other.into()),
        }
    }

    /// The word used in files and output.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Evaluation => "evaluation",
            Self::Output => "output",
            Self::Integration => "integration",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for PluginType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for PluginType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The notation of a plugin file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML, typed as yaml.v3 types it.
    Yaml,
    /// JSON; in compat mode every number is a floating-point number.
    Json,
}

/// A plugin, typed but not yet compiled.
///
/// Both readings of a repaired word are kept: fixed mode uses the repair,
/// compat mode the letter.
#[derive(Debug, Clone, PartialEq)]
pub struct Plugin {
    /// The id, stated or derived from the file name.
    pub id: PluginId,
    /// The name; empty when missing.
    pub name: String,
    /// The version as written; empty when missing.
    pub version: String,
    /// What it is for.
    pub plugin_type: PluginType,
    /// Who wrote it; empty when missing.
    pub author: String,
    /// `cyprob_min_version`, else `vulntor_min_version`.
    pub min_version: Option<String>,
    /// The metadata block.
    pub metadata: Metadata,
    /// All of them must hold.
    pub triggers: Vec<Trigger>,
    /// Without one, the plugin matches when triggered.
    pub matcher: Option<MatchBlock>,
    /// What a finding says.
    pub output: Output,
    /// The notation of the file.
    pub format: Format,
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
}

impl Plugin {
    /// How many rules the match block has.
    #[must_use]
    pub fn rule_count(&self) -> usize {
        self.matcher.as_ref().map_or(0, |m| m.rules.len())
    }
}

/// The metadata block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata {
    /// How bad a finding is, unless the output says otherwise.
    pub severity: Option<SeverityLabel>,
    /// CVE ids.
    pub cve: Vec<String>,
    /// CWE ids.
    pub cwe: Vec<String>,
    /// Search words.
    pub tags: Vec<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// Keys without a meaning here, kept as they are.
    pub extra: Vec<(String, Value)>,
}

/// The output block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Output {
    /// Whether a match is a vulnerability (or only information).
    pub vulnerability: bool,
    /// How bad a finding is.
    pub severity: Option<SeverityLabel>,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub remediation: String,
    /// Where to read more.
    pub reference: String,
    /// CVE ids of the output's own metadata.
    pub cve: Vec<String>,
    /// CWE ids of the output's own metadata.
    pub cwe: Vec<String>,
    /// The other keys of the output's own metadata.
    pub extra: Vec<(String, Value)>,
}

/// One trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// What it asks.
    pub kind: TriggerKind,
    /// Where it stands.
    pub at: Position,
}

/// The two forms of a trigger.
#[derive(Debug, Clone, PartialEq)]
pub enum TriggerKind {
    /// `{data_key, condition, value}`.
    Condition {
        /// The fact's key; empty when missing.
        key: String,
        /// The condition as written; empty when missing.
        condition: String,
        /// The value; `None` when the key is absent.
        value: Option<Value>,
        /// Where the condition stands.
        condition_at: Position,
        /// Where the value stands, else the trigger.
        value_at: Position,
    },
    /// `{port, service}`: conditions on `service.port` and `service.name`.
    Service {
        /// A port or a list of ports.
        port: Option<Value>,
        /// A service name or a list of names.
        service: Option<Value>,
    },
}

/// The match block.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchBlock {
    /// The logic as written; empty when missing.
    pub logic: String,
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// Where the logic stands, else the block.
    pub logic_at: Position,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The fact's key; empty when missing.
    pub field: String,
    /// The operator as written; empty when missing.
    pub operator: String,
    /// The value; `None` when the key is absent.
    pub value: Option<Value>,
    /// `version_from: banner`: take the version out of a banner.
    pub version_from_banner: bool,
    /// Where the rule stands.
    pub at: Position,
    /// Where the operator stands, else the rule.
    pub operator_at: Position,
    /// Where the value stands, else the rule.
    pub value_at: Position,
}
