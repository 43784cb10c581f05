//! How a plugin is decided on one fact set.

pub(crate) mod compat;
pub(crate) mod fixed;
mod lower;
pub(crate) mod test;

use super::{
    Code, Diagnostic, Evidence, FactSet, Finding, PatternLimits, Plugin, PluginId, Position,
    SeverityLabel, Value, template,
};

/// Longest text a pattern is run on, in bytes; a longer one is an error
/// outcome, because a pattern costs time per byte.
pub(crate) const MATCH_INPUT_BYTES: usize = 256 * 1024;
/// Longest fact text in evidence, in characters.
const EVIDENCE_CHARS: usize = 256;
/// Most entries of evidence in one finding.
const EVIDENCE_ENTRIES: usize = 32;

/// Which meaning the words of a plugin have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The repaired meaning; what is unknown does not load.
    Fixed,
    /// To the letter as Cyprob's engine does; what is unknown is an error when
    /// it is reached. Limits of size and cost hold here too.
    Compat,
}

/// What one plugin says about one fact set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It matched.
    Match(Box<Finding>),
    /// It did not match.
    NoMatch,
    /// It could not be decided; the text says why.
    Error(String),
}

impl Outcome {
    /// Whether it matched.
    #[must_use]
    pub fn is_match(&self) -> bool {
        matches!(self, Self::Match(_))
    }
}

/// One plugin's outcome in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The plugin.
    pub plugin: PluginId,
    /// What it says.
    pub outcome: Outcome,
}

/// A plugin ready to run; immutable.
#[derive(Debug)]
pub struct CompiledPlugin {
    plugin: Plugin,
    program: Program,
}

#[derive(Debug)]
enum Program {
    Fixed(fixed::Program),
    Compat(compat::Program),
}

/// Why a part of a plugin has no meaning in fixed mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issue {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Issue {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn at(self, at: Position) -> Diagnostic {
        Diagnostic::new(self.code, at, self.message)
    }
}

impl CompiledPlugin {
    /// Compiles a plugin for one mode.
    ///
    /// # Errors
    ///
    /// In fixed mode, every part without a meaning, with its place. Compat
    /// mode never fails here: its errors are outcomes.
    pub fn new(
        plugin: Plugin,
        mode: Mode,
        limits: &PatternLimits,
    ) -> Result<Self, Vec<Diagnostic>> {
        let program = match mode {
            Mode::Fixed => Program::Fixed(fixed::Program::new(&plugin, limits)?),
            Mode::Compat => Program::Compat(compat::Program::new(&plugin, limits)),
        };
        Ok(Self { plugin, program })
    }

    /// The plugin as its file states it.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// The mode it was compiled for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self.program {
            Program::Fixed(_) => Mode::Fixed,
            Program::Compat(_) => Mode::Compat,
        }
    }

    /// Decides the plugin on these facts. The same facts give the same answer.
    #[must_use]
    pub fn evaluate(&self, facts: &FactSet) -> Outcome {
        let answer = match &self.program {
            Program::Fixed(program) => program.evaluate(facts),
            Program::Compat(program) => program.evaluate(facts),
        };
        match answer {
            Ok(None) => Outcome::NoMatch,
            Ok(Some(matched)) => Outcome::Match(Box::new(self.finding(facts, matched))),
            Err(message) => Outcome::Error(message),
        }
    }

    /// A key without which (and without anything under which) the plugin says
    /// [`Outcome::NoMatch`] whatever the other facts are.
    pub(crate) fn required_key(&self) -> Option<&str> {
        match &self.program {
            Program::Fixed(program) => program.required_key(),
            Program::Compat(program) => program.required_key(),
        }
    }

    fn finding(&self, facts: &FactSet, matched: Vec<Evidence>) -> Finding {
        let plugin = &self.plugin;
        let render = |text: &str| match self.program {
            Program::Fixed(_) => template::render(text, facts),
            Program::Compat(_) => text.to_owned(),
        };
        let union = |a: &[String], b: &[String]| {
            let mut all = a.to_vec();
            all.extend(b.iter().filter(|x| !a.contains(x)).cloned());
            all
        };
        Finding {
            target: facts.target().into(),
            port: facts.port(),
            plugin: plugin.id.clone(),
            plugin_type: plugin.plugin_type.clone(),
            severity: plugin
                .output
                .severity
                .clone()
                .or_else(|| plugin.metadata.severity.clone())
                .unwrap_or_else(|| SeverityLabel::AsWritten(Box::default())),
            message: render(&plugin.output.message),
            remediation: render(&plugin.output.remediation),
            cve: union(&plugin.metadata.cve, &plugin.output.cve),
            cwe: union(&plugin.metadata.cwe, &plugin.output.cwe),
            reference: plugin.output.reference.clone(),
            matched,
        }
    }
}

/// Collects evidence up to its bounds.
pub(crate) fn evidence(
    out: &mut Vec<Evidence>,
    field: &str,
    operator: &'static str,
    actual: Option<&Value>,
) {
    if out.len() >= EVIDENCE_ENTRIES {
        return;
    }
    let actual = actual.map(|value| {
        let text = super::goprint::to_text(value);
        text.chars().take(EVIDENCE_CHARS).collect()
    });
    out.push(Evidence {
        field: field.into(),
        operator,
        actual,
    });
}

#[cfg(test)]
mod tests;
