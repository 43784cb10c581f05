//! What was found, a line each.

use std::fmt::Display;
use std::io::{self, Write as _};

#[cfg(any(feature = "aws", feature = "vault"))]
use cyprob::secrets::adapters::finding::{Finding, Verdict};

/// The lines of a look.
#[derive(Debug, Default)]
pub(super) struct Report {
    lines: Vec<String>,
    refused: usize,
}

impl Report {
    /// It is as it should be.
    pub(super) fn well(&mut self, line: impl Display) {
        self.line("well", line);
    }

    /// It was not looked at, or not in whole.
    pub(super) fn remark(&mut self, line: impl Display) {
        self.line("remark", line);
    }

    /// It is not as it should be.
    pub(super) fn refuse(&mut self, line: impl Display) {
        self.refused += 1;
        self.line("refused", line);
    }

    /// What a look at a source found.
    #[cfg(any(feature = "aws", feature = "vault"))]
    pub(super) fn found<P: Display, R: Display, Q: Display>(
        &mut self,
        findings: Vec<Finding<P, R, Q>>,
    ) {
        for finding in findings {
            match &finding.verdict {
                Verdict::Well(_) => self.well(finding),
                Verdict::Remark(_) => self.remark(finding),
                // A verdict that is not known here counts as none that is well.
                _ => self.refuse(finding),
            }
        }
    }

    /// How many things are not as they should be.
    pub(super) const fn refused(&self) -> usize {
        self.refused
    }

    /// Writes all lines to standard output.
    pub(super) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for line in &self.lines {
            writeln!(out, "{line}")?;
        }
        out.flush()
    }

    /// A name in a configuration ends no line.
    fn line(&mut self, word: &str, line: impl Display) {
        let line = line.to_string().replace(char::is_control, " ");
        self.lines.push(format!("{word:8} {line}"));
    }
}
