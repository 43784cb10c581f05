//! What a look at a configuration found.

use std::fmt;

/// One thing that was looked at, and what was seen.
///
/// Its text is one line without any secret: what was looked at, what is wrong with it, the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<Part, Remark, Problem> {
    /// What was looked at.
    pub part: Part,
    /// What was seen.
    pub verdict: Verdict<Remark, Problem>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict<Remark, Problem> {
    /// It is as it should be.
    Well(&'static str),
    /// It was not looked at, not in whole, or could be better.
    Remark(Remark),
    /// It is not as it should be.
    Refused(Problem),
}

impl<Part, Remark, Problem> Finding<Part, Remark, Problem> {
    /// Whether it is not as it should be.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.verdict, Verdict::Refused(_))
    }
}

impl<Part: fmt::Display, Remark: fmt::Display, Problem: fmt::Display> fmt::Display
    for Finding<Part, Remark, Problem>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.verdict)
    }
}

impl<Remark: fmt::Display, Problem: fmt::Display> fmt::Display for Verdict<Remark, Problem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Well(text) => f.write_str(text),
            Self::Remark(remark) => remark.fmt(f),
            Self::Refused(problem) => problem.fmt(f),
        }
    }
}
