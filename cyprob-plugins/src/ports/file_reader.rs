//! Reading plugin files and facts.

use std::fmt::Debug;

use crate::domain::{Diagnostic, FactSet, FactsFile, Plugin, PluginFile, PluginId};

/// A plugin file does not load.
#[derive(Clone, Debug, thiserror::Error)]
#[error("plugin {id} does not load")]
pub struct Unreadable {
    /// The id, stated or derived from the name.
    pub id: PluginId,
    /// Why, with places.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads files under the limits of this crate. Calls take milliseconds of CPU time.
pub trait FileReader: Debug + Send + Sync + 'static {
    /// A plugin, with what there is to say about its file.
    ///
    /// # Errors
    ///
    /// [`Unreadable`].
    fn plugin(&self, file: &PluginFile) -> Result<(Plugin, Vec<Diagnostic>), Unreadable>;

    /// The fact sets of a file.
    ///
    /// # Errors
    ///
    /// The first [`Diagnostic`], in a box for its size.
    fn facts(&self, file: &FactsFile) -> Result<Vec<FactSet>, Box<Diagnostic>>;
}
