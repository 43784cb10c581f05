//! Immutable sets of compiled plugins.

use crate::domain::{
    CompiledPlugin, Diagnostic, Digest, Evaluation, FactSet, Mode, Outcome, PatternLimits, Plugin,
    PluginId,
};

use super::index::Index;

/// Compiled plugins in a fixed order, swapped as a whole.
#[derive(Debug)]
pub struct RuleSet {
    plugins: Vec<CompiledPlugin>,
    index: Index,
    mode: Mode,
    digest: Digest,
}

/// A plugin has parts without a meaning in this mode.
#[derive(Debug, Clone, thiserror::Error)]
#[error("plugin {plugin} does not compile")]
pub struct RuleSetError {
    /// The plugin.
    pub plugin: PluginId,
    /// Why, with places.
    pub diagnostics: Vec<Diagnostic>,
}

impl RuleSet {
    /// Compiles plugins, in this order, under the default pattern limits.
    ///
    /// # Errors
    ///
    /// [`RuleSetError`] at the first plugin that does not compile.
    pub fn new(
        plugins: impl IntoIterator<Item = Plugin>,
        mode: Mode,
    ) -> Result<Self, RuleSetError> {
        let limits = PatternLimits::default();
        let plugins = plugins
            .into_iter()
            .map(|plugin| {
                let id = plugin.id.clone();
                CompiledPlugin::new(plugin, mode, &limits).map_err(|diagnostics| RuleSetError {
                    plugin: id,
                    diagnostics,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let label = match mode {
            Mode::Fixed => "cyprob rule set, fixed",
            Mode::Compat => "cyprob rule set, compat",
        };
        let parts = plugins.iter().flat_map(|p| {
            let plugin = p.plugin();
            [
                plugin.id.as_str().as_bytes(),
                plugin.digest.as_bytes().as_slice(),
            ]
        });
        let digest = Digest::of_parts(label, parts);
        let index = Index::new(&plugins);
        Ok(Self {
            plugins,
            index,
            mode,
            digest,
        })
    }

    /// The plugins, in order.
    #[must_use]
    pub fn plugins(&self) -> &[CompiledPlugin] {
        &self.plugins
    }

    /// The mode they were compiled for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The digest of mode, ids and file contents in order; a job pins it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Every plugin's outcome, in order; an error of one stops none.
    #[must_use]
    pub fn evaluate(&self, facts: &FactSet) -> Vec<Evaluation> {
        let run = self.index.candidates(facts);
        self.plugins
            .iter()
            .zip(run)
            .map(|(plugin, run)| Evaluation {
                plugin: plugin.plugin().id.clone(),
                outcome: if run {
                    plugin.evaluate(facts)
                } else {
                    Outcome::NoMatch
                },
            })
            .collect()
    }

    /// The same without the index; the two agree, which a property holds.
    #[must_use]
    pub fn evaluate_naive(&self, facts: &FactSet) -> Vec<Evaluation> {
        self.plugins
            .iter()
            .map(|plugin| Evaluation {
                plugin: plugin.plugin().id.clone(),
                outcome: plugin.evaluate(facts),
            })
            .collect()
    }
}
