//! The one question that every side answers, and two that it must refuse.

/// Whether somebody in an organization may do something there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// The organization's slug.
    pub(crate) org: &'static str,
    /// What is done there.
    pub(crate) permission: Permission,
}

/// The two permissions that are asked about: an analyst holds the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Reading runs.
    RunsRead,
    /// Renaming the organization.
    OrgWrite,
}

impl Permission {
    /// Its name, as tokens and policies write it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RunsRead => "runs:read",
            Self::OrgWrite => "org:write",
        }
    }
}

/// The role of whoever asks.
pub(crate) const ROLE: &str = "analyst";

/// May an analyst of `acme` read its runs? Yes.
pub(crate) const ASKED: Question = Question {
    org: "acme",
    permission: Permission::RunsRead,
};

const REFUSED: [Question; 2] = [
    Question {
        org: "acme",
        permission: Permission::OrgWrite,
    },
    Question {
        org: "other",
        permission: Permission::RunsRead,
    },
];

/// Asserts that a side answers all three as it should, before anything is timed.
///
/// # Panics
///
/// If it does not.
pub(crate) fn examine(name: &str, permits: impl Fn(Question) -> bool) {
    assert!(permits(ASKED), "{name} refuses what is permitted");
    for question in REFUSED {
        assert!(!permits(question), "{name} permits {question:?}");
    }
}
