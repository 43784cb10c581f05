//! Plugin files: leniently read, strictly reported.

mod blocks;
mod reader;

use cyprob_core::adapters::document::{Node, guarded_text};

use crate::domain::{
    Code, Diagnostic, Digest, Format, Level, Limits, Mode, Plugin, PluginId, Position, check_fixed,
};

use super::json;
use super::node::read_yaml;
use reader::Reader;

/// What a plugin file turned out to be.
#[derive(Debug)]
pub struct ParsedPlugin {
    plugin: Option<Plugin>,
    diagnostics: Vec<Diagnostic>,
    id: PluginId,
}

impl ParsedPlugin {
    /// Everything there is to say about the file, in its order.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The plugin's id: the stated one, else the slug of the file's name, even
    /// when nothing else could be read.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.id
    }

    /// The plugin as far as it could be read, errors in its rules or not.
    #[must_use]
    pub fn plugin(&self) -> Option<&Plugin> {
        self.plugin.as_ref()
    }

    /// Whether it loads in fixed mode.
    #[must_use]
    pub fn loads(&self) -> bool {
        self.plugin.is_some() && !self.diagnostics.iter().any(|d| d.severity == Level::Error)
    }

    /// The first error, for a one-line answer.
    #[must_use]
    pub fn first_error(&self) -> Option<&Diagnostic> {
        self.diagnostics.iter().find(|d| d.severity == Level::Error)
    }

    /// The plugin, if it loads in this mode.
    ///
    /// Compat mode takes every file whose structure could be read, as Cyprob's
    /// engine does; what its words mean is decided when they are reached.
    ///
    /// # Errors
    ///
    /// All diagnostics of a file that does not load.
    pub fn into_plugin(self, mode: Mode) -> Result<Plugin, NotLoaded> {
        let loads = match mode {
            Mode::Fixed => self.loads(),
            Mode::Compat => self.plugin.is_some(),
        };
        match self.plugin {
            Some(plugin) if loads => Ok(plugin),
            _ => Err(NotLoaded {
                id: self.id,
                diagnostics: self.diagnostics,
            }),
        }
    }
}

/// A plugin file did not load.
#[derive(Debug, Clone, thiserror::Error)]
#[error("plugin {id} does not load")]
pub struct NotLoaded {
    /// The id, stated or derived.
    pub id: PluginId,
    /// Why.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a plugin file: guard first, then types, then the rule language.
///
/// `file_name` decides the notation (`.json` or YAML) and the id of a file
/// that states none; it is never opened. The time and memory this takes are
/// bounded by the limits, whatever the bytes are.
#[must_use]
pub fn parse_plugin(bytes: &[u8], file_name: &str, limits: &Limits) -> ParsedPlugin {
    let format = if file_name.to_ascii_lowercase().ends_with(".json") {
        Format::Json
    } else {
        Format::Yaml
    };
    let mut reader = Reader {
        diagnostics: Vec::new(),
        structural: false,
        limit: limits.diagnostics,
    };
    let id = PluginId::from_file_name(file_name);
    let root = match document(bytes, format, limits, &mut reader) {
        Ok(root) => root,
        Err(diagnostic) => {
            reader.say(diagnostic);
            return ParsedPlugin {
                plugin: None,
                diagnostics: reader.finish(),
                id,
            };
        }
    };
    let plugin = reader.plugin(&root, id.clone(), format, Digest::of(bytes));
    let id = plugin.as_ref().map_or(id, |p| p.id.clone());
    let plugin = plugin.filter(|_| !reader.structural);
    if let Some(plugin) = &plugin {
        for diagnostic in check_fixed(plugin, &limits.pattern).1 {
            reader.say(diagnostic);
        }
    }
    ParsedPlugin {
        plugin,
        diagnostics: reader.finish(),
        id,
    }
}

/// The guard: size, encoding, NUL, then the document under its limits.
fn document(
    bytes: &[u8],
    format: Format,
    limits: &Limits,
    reader: &mut Reader,
) -> Result<Node, Diagnostic> {
    let text = guarded_text(bytes, limits.bytes)?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            reader.add(
                Code::ByteOrderMark,
                Position::START,
                "a byte order mark was skipped",
            );
            rest
        }
        None => text,
    };
    match format {
        Format::Json => json::read(text, limits),
        Format::Yaml => read_yaml(text, limits),
    }
}

#[cfg(test)]
mod tests;
