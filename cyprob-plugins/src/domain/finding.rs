//! What a plugin found.

use serde::Serialize;

use super::{PluginId, PluginType, SeverityLabel};

/// One finding: a plugin matched the facts of one target and port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The target's name or address; empty when the facts named none.
    pub target: Box<str>,
    /// The port, or null for facts about a host.
    pub port: Option<u16>,
    /// The plugin's id.
    pub plugin: PluginId,
    /// The plugin's type.
    pub plugin_type: PluginType,
    /// How bad it is.
    pub severity: SeverityLabel,
    /// What was found.
    pub message: String,
    /// What to do about it; empty when the plugin says nothing.
    pub remediation: String,
    /// CVE ids the plugin names.
    pub cve: Vec<String>,
    /// CWE ids the plugin names.
    pub cwe: Vec<String>,
    /// Where to read more; empty when the plugin says nothing.
    pub reference: String,
    /// The conditions that held, with the facts that made them hold.
    pub matched: Vec<Evidence>,
}

/// One condition that held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The fact's key.
    pub field: Box<str>,
    /// The operator.
    pub operator: &'static str,
    /// The fact's text, cut at 256 characters; null when the fact is absent.
    pub actual: Option<String>,
}
