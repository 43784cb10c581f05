//! The reader of this crate's own formats.

use super::facts::{FactsFormat, read_facts};
use super::plugin_reader::parse_plugin;
use crate::domain::{Diagnostic, FactSet, FactsFile, Limits, Mode, Plugin, PluginFile};
use crate::ports::{FileReader, Unreadable};

/// Reads plugin files in fixed mode, and facts, under the default limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files;

impl FileReader for Files {
    fn plugin(&self, file: &PluginFile) -> Result<(Plugin, Vec<Diagnostic>), Unreadable> {
        let parsed = parse_plugin(&file.bytes, &file.name, &Limits::plugin());
        let diagnostics = parsed.diagnostics().to_vec();
        match parsed.into_plugin(Mode::Fixed) {
            Ok(plugin) => Ok((plugin, diagnostics)),
            Err(refused) => Err(Unreadable {
                id: refused.id,
                diagnostics: refused.diagnostics,
            }),
        }
    }

    fn facts(&self, file: &FactsFile) -> Result<Vec<FactSet>, Box<Diagnostic>> {
        let format = match file.format.as_str() {
            "xml" => FactsFormat::NmapXml,
            "yaml" => FactsFormat::Yaml,
            _ => FactsFormat::Json,
        };
        read_facts(&file.bytes, Some(format), &Limits::facts())
            .map_err(|error| Box::new(error.diagnostic))
    }
}
