//! How far a role has a permission.

use std::fmt;

use super::{Condition, Rights};
use crate::domain::Permission;

/// How far a role has a permission. In words: `always`, `never`, or the conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent<'a> {
    /// Not at all.
    Never,
    /// Where one of these conditions holds.
    Conditional(Vec<&'a Condition>),
    /// Whatever the circumstances.
    Always,
}

impl Rights {
    /// How far they have a permission.
    #[must_use]
    pub fn extent(&self, permission: Permission) -> Extent<'_> {
        if self.always().contains(permission) {
            return Extent::Always;
        }
        let grants = self.conditional().iter();
        let giving = grants.filter(|grant| grant.permissions.contains(permission));
        let conditions: Vec<_> = giving.map(|grant| &grant.when).collect();
        match conditions.is_empty() {
            true => Extent::Never,
            false => Extent::Conditional(conditions),
        }
    }
}

impl fmt::Display for Extent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Always => f.write_str("always"),
            Self::Conditional(conditions) => {
                for (number, condition) in conditions.iter().enumerate() {
                    let between = if number == 0 { "if " } else { "; or if " };
                    write!(f, "{between}{condition}")?;
                }
                Ok(())
            }
        }
    }
}
