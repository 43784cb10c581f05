//! Regular expressions in Go's RE2 syntax, bounded and compiled once.
//!
//! Plugins are written for Go's `regexp`; the same text means other things to
//! the crate regex (`[a&&b]`, `\<`, `x**`, `\d` beyond ASCII). So a pattern is
//! translated, and what Go refuses is refused. Only "does it match" is asked:
//! groups do not capture.

mod class;
mod translate;

use std::cell::Cell;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

use super::{MATCH_INPUT_BYTES, PatternLimits};

/// Why a pattern was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PatternError {
    /// It is not well formed; the text says how.
    Syntax(String),
    /// It would cost more than its limit; the text says which.
    Cost(String),
}

/// A checked pattern; the program is built at the first use.
#[derive(Debug)]
pub(crate) struct Pattern {
    rust: Box<str>,
    weight: u64,
    limits: PatternLimits,
    program: OnceLock<Option<Regex>>,
}

/// What all patterns of one plugin may still cost to compile.
#[derive(Debug)]
pub(crate) struct Budget(u64);

impl Budget {
    /// A pattern costs at least this much, however short it is.
    const LEAST: u64 = 20;

    /// The whole budget of a plugin.
    pub(crate) fn new(limits: &PatternLimits) -> Self {
        Self(limits.total_weight)
    }

    fn charge(&mut self, weight: u64) -> Result<(), PatternError> {
        // Once something did not fit, nothing more is compiled.
        let left = self.0.checked_sub(weight.max(Self::LEAST));
        self.0 = left.unwrap_or(0);
        left.map(|_| ()).ok_or_else(|| {
            PatternError::Cost("the patterns of this plugin cost too much together".to_owned())
        })
    }
}

/// What one plugin may spend on matching against one fact set.
///
/// The unit is one state on one byte, the worst case of a pattern: one to three
/// nanoseconds each when it is reached, a hundredth of that mostly.
#[derive(Debug)]
pub(crate) struct Work(Cell<u64>);

impl Work {
    pub(crate) fn new() -> Self {
        Self(Cell::new(400_000_000))
    }

    fn charge(&self, units: u64) -> Result<(), String> {
        let left = self.0.get().checked_sub(units);
        self.0.set(left.unwrap_or(0));
        left.map(|_| ())
            .ok_or_else(|| "the patterns of this plugin take too long on these facts".to_owned())
    }
}

impl Pattern {
    /// Checks a pattern and its cost.
    ///
    /// The estimate is checked and charged before anything is compiled, so that
    /// patterns that are refused cost too; then the program is built once to
    /// see that it keeps its size, and dropped.
    pub(crate) fn new(
        source: &str,
        limits: &PatternLimits,
        budget: &mut Budget,
    ) -> Result<Self, PatternError> {
        budget.charge(0)?;
        if source.len() > limits.source_bytes {
            return Err(PatternError::Cost(format!(
                "the pattern has {} bytes, at most {} are allowed",
                source.len(),
                limits.source_bytes
            )));
        }
        let translated = translate::translate(source, limits.nest)?;
        if translated.weight > limits.weight {
            return Err(PatternError::Cost(format!(
                "the pattern needs about {} states, at most {} are allowed",
                translated.weight, limits.weight
            )));
        }
        budget.charge(translated.weight)?;
        let pattern = Self {
            rust: translated.pattern.into(),
            weight: translated.weight,
            limits: limits.clone(),
            program: OnceLock::new(),
        };
        pattern.build().map(|_| pattern)
    }

    /// Whether the text contains a match, if that may still be asked.
    pub(crate) fn is_match(&self, text: &str, work: &Work) -> Result<bool, String> {
        if text.len() > MATCH_INPUT_BYTES {
            return Err(format!("the text is longer than {MATCH_INPUT_BYTES} bytes"));
        }
        work.charge(self.weight.saturating_mul(text.len() as u64))?;
        // It was built when it was checked, so it builds again.
        let program = self.program.get_or_init(|| self.build().ok());
        Ok(program.as_ref().is_some_and(|p| p.is_match(text)))
    }

    fn build(&self) -> Result<Regex, PatternError> {
        RegexBuilder::new(&self.rust)
            .size_limit(self.limits.compiled_bytes)
            .dfa_size_limit(1 << 20)
            .nest_limit(self.limits.nest)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(limit) => {
                    PatternError::Cost(format!("the compiled pattern would pass {limit} bytes"))
                }
                regex::Error::Syntax(text) if text.contains("nest") => PatternError::Cost(format!(
                    "the pattern nests deeper than {}",
                    self.limits.nest
                )),
                _ => PatternError::Syntax("the pattern is not well formed".to_owned()),
            })
    }
}

#[cfg(test)]
mod tests;
