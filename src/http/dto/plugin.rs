//! Plugins in requests and answers.

use cyprob_plugins::domain::{Diagnostic, InstalledPlugin};
use cyprob_plugins::service::runs::Installed;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An installed plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginAnswer {
    id: String,
    name: String,
    version: String,
    digest: String,
    enabled: bool,
}

impl PluginAnswer {
    pub(crate) fn of(plugin: InstalledPlugin) -> Self {
        let InstalledPlugin {
            id,
            name,
            version,
            digest,
            enabled,
            ..
        } = plugin;
        Self {
            id: id.to_string(),
            name,
            version,
            digest: format!("sha256:{digest}"),
            enabled,
        }
    }
}

/// What there is to say about a place in a file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiagnosticAnswer {
    code: String,
    severity: &'static str,
    line: usize,
    column: usize,
    message: String,
}

impl DiagnosticAnswer {
    pub(crate) fn of(diagnostic: &Diagnostic) -> Self {
        Self {
            code: diagnostic.code.to_string(),
            severity: diagnostic.severity.as_str(),
            line: diagnostic.line,
            column: diagnostic.column,
            message: diagnostic.message.clone(),
        }
    }
}

/// A plugin just installed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstalledAnswer {
    #[serde(flatten)]
    plugin: PluginAnswer,
    diagnostics: Vec<DiagnosticAnswer>,
}

impl InstalledAnswer {
    pub(crate) fn of(installed: Installed) -> Self {
        Self {
            diagnostics: installed
                .diagnostics
                .iter()
                .map(DiagnosticAnswer::of)
                .collect(),
            plugin: PluginAnswer::of(installed.plugin),
        }
    }
}

/// `PUT plugins/{id}/enabled`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnableRequest {
    pub(crate) enabled: bool,
}
