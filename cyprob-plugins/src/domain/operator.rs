//! The words of the rule language.

use std::fmt;

/// The nineteen rule operators; fifteen of them are trigger conditions too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The fact is there (`true`) or absent (`false`).
    Exists,
    /// The fact equals the value.
    Equals,
    /// The fact's text contains the value.
    Contains,
    /// The fact's text matches a regular expression (RE2 syntax).
    Matches,
    /// The fact's text begins with the value.
    StartsWith,
    /// The fact's text ends with the value.
    EndsWith,
    /// The fact is one of a list.
    In,
    /// The fact is none of a list.
    NotIn,
    /// The fact is greater.
    Gt,
    /// The fact is greater or equal.
    Gte,
    /// The fact is less.
    Lt,
    /// The fact is less or equal.
    Lte,
    /// The fact lies between two bounds, both included.
    Between,
    /// The version is equal.
    VersionEq,
    /// The version is later.
    VersionGt,
    /// The version is later or equal.
    VersionGte,
    /// The version is earlier.
    VersionLt,
    /// The version is earlier or equal.
    VersionLte,
    /// The version lies between two versions, both included.
    VersionBetween,
}

impl Operator {
    /// All nineteen.
    pub const ALL: [Self; 19] = [
        Self::Exists,
        Self::Equals,
        Self::Contains,
        Self::Matches,
        Self::StartsWith,
        Self::EndsWith,
        Self::In,
        Self::NotIn,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::Between,
        Self::VersionEq,
        Self::VersionGt,
        Self::VersionGte,
        Self::VersionLt,
        Self::VersionLte,
        Self::VersionBetween,
    ];

    /// The exact word of the format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Equals => "equals",
            Self::Contains => "contains",
            Self::Matches => "matches",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::In => "in",
            Self::NotIn => "notIn",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Between => "between",
            Self::VersionEq => "version_eq",
            Self::VersionGt => "version_gt",
            Self::VersionGte => "version_gte",
            Self::VersionLt => "version_lt",
            Self::VersionLte => "version_lte",
            Self::VersionBetween => "version_between",
        }
    }

    /// The operator with exactly this word.
    #[must_use]
    pub fn exact(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == text)
    }

    /// The operator meant by another spelling: any letter case, with or
    /// without underscores and hyphens (`startswith`, `not_in`, `Equals`).
    #[must_use]
    pub fn alias(text: &str) -> Option<Self> {
        if text.len() > 32 {
            return None;
        }
        let plain = |t: &str| -> String {
            t.chars()
                .filter(|c| !matches!(c, '_' | '-'))
                .map(|c| c.to_ascii_lowercase())
                .collect()
        };
        let wanted = plain(text);
        Self::ALL
            .into_iter()
            .find(|op| plain(op.as_str()) == wanted)
    }

    /// Whether a trigger may use it.
    #[must_use]
    pub fn is_condition(self) -> bool {
        !matches!(
            self,
            Self::StartsWith | Self::EndsWith | Self::Between | Self::VersionBetween
        )
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the rules of a match block combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Logic {
    /// All rules hold.
    And,
    /// At least one rule holds.
    Or,
    /// No rule holds.
    Not,
}

impl Logic {
    /// Reads the exact word `AND`, `OR` or `NOT`.
    #[must_use]
    pub fn exact(text: &str) -> Option<Self> {
        match text {
            "AND" => Some(Self::And),
            "OR" => Some(Self::Or),
            "NOT" => Some(Self::Not),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_of_nineteen_are_conditions() {
        assert_eq!(
            Operator::ALL.iter().filter(|o| o.is_condition()).count(),
            15
        );
    }

    #[test]
    fn every_operator_is_its_own_alias_and_no_two_collide() {
        for op in Operator::ALL {
            assert_eq!(Operator::exact(op.as_str()), Some(op));
            assert_eq!(Operator::alias(&op.as_str().to_uppercase()), Some(op));
        }
        assert_eq!(Operator::alias("starts_with"), Some(Operator::StartsWith));
        assert_eq!(Operator::alias("not-in"), Some(Operator::NotIn));
        assert_eq!(Operator::alias("like"), None);
        assert_eq!(Operator::exact("startswith"), None);
    }
}
