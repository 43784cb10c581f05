//! What is wrong with a policy, and where.

use cyprob_core::domain::{Position, RoleName};

use super::Rights;

/// One thing that is wrong with a policy, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {kind}")]
pub struct Fault {
    /// Where.
    pub at: Position,
    /// What.
    pub kind: FaultKind,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// The text is not a policy's; the sentence says what to write.
    #[error("{0}")]
    Text(String),
    /// No permission of the catalogue has this name.
    #[error("there is no permission {name}{}", meant.map_or_else(String::new, |meant| format!("; is {meant} meant?")))]
    UnknownPermission {
        /// The name, shortened and escaped.
        name: String,
        /// A permission that is spelled much like it.
        meant: Option<&'static str>,
    },
    /// Two roles have one name, or one has that of a role that there is, or of callers without a role.
    #[error("the name {0} is taken; choose another")]
    Taken(RoleName),
    /// A role is included that there is not.
    #[error("there is no role {0} to include")]
    UnknownRole(RoleName),
    /// A role includes itself, by way of the others.
    #[error("{} includes itself; take one of these out", .0.iter().map(RoleName::as_str).collect::<Vec<_>>().join(" includes "))]
    Cycle(Vec<RoleName>),
    /// A grant gives nothing that the role has not without it.
    #[error("the role has all of this without this grant; take it out")]
    Unreachable,
    /// A grant's condition contradicts itself: there is no request for which it holds.
    #[error("this condition holds for no request; correct it or take the grant out")]
    Contradiction,
    /// A role has more grants than are held against each other.
    #[error("{0} has {1} grants, those of what it includes counted; at most {most} can be", most = Rights::MOST_GRANTS)]
    TooManyGrants(RoleName, usize),
    /// A role has more conditions than are looked at on a request.
    #[error("{0} has {1} different conditions, those of what it includes counted; at most {most} can be", most = Rights::MOST_CONDITIONS)]
    TooManyConditions(RoleName, usize),
}

/// A policy cannot be used: everything that is wrong with it, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy cannot be used:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PolicyError(pub Vec<Fault>);

impl PolicyError {
    /// Puts the faults in the text's order; each is told once.
    pub(crate) fn of(mut faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            return Ok(());
        }
        faults.sort_by_key(|fault| fault.at);
        faults.dedup();
        Err(Self(faults))
    }
}
