//! How far a role has a permission.

use std::fmt;

use super::{Condition, Rights};
use crate::domain::Permission;

/// How far a role has a permission. In words: `always`, `never`, or the conditions, such as `if from 10.0.0.0/8; or of one's own objects`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent<'a> {
    /// Not at all.
    Never,
    /// Where one of these conditions holds.
    Conditional(Vec<&'a Condition>),
    /// Whatever the circumstances.
    Always,
}

impl Extent<'_> {
    /// The same on a route that concerns no object, where no condition counts that asks something of one.
    #[must_use]
    pub fn without_objects(self) -> Self {
        let Self::Conditional(mut conditions) = self else {
            return self;
        };
        conditions.retain(|condition| !condition.asks_object());
        match conditions.is_empty() {
            true => Self::Never,
            false => Self::Conditional(conditions),
        }
    }
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
                    if number > 0 {
                        f.write_str("; or ")?;
                    }
                    condition.write_object(f)?;
                    if condition.asks_request() {
                        f.write_str(if condition.asks_object() {
                            " if "
                        } else {
                            "if "
                        })?;
                        condition.write_request(f)?;
                    }
                }
                Ok(())
            }
        }
    }
}
