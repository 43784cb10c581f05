//! What else an event says, each field with its class.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::UserId;

/// The fields of an event beyond the fixed ones, by name.
pub type Metadata = BTreeMap<String, MetaValue>;

/// A field's value with its class.
///
/// There is no class for secrets: a secret type has no way into an event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum MetaValue {
    /// Text that anyone who may read the event may read for ever.
    Public {
        /// The text.
        value: String,
    },
    /// A number of the same class.
    Count {
        /// The number.
        value: i64,
    },
    /// Text about a person; the log keeps it sealed under that person's key.
    Personal {
        /// The person, or none where no account is known (then the organization's or system's own key seals it).
        subject: Option<UserId>,
        /// The text.
        value: String,
    },
}

impl MetaValue {
    /// Public text.
    #[must_use]
    pub fn public(value: impl ToString) -> Self {
        Self::Public {
            value: value.to_string(),
        }
    }

    /// A public number.
    #[must_use]
    pub const fn count(value: i64) -> Self {
        Self::Count { value }
    }

    /// Text about a person.
    #[must_use]
    pub fn personal(subject: Option<UserId>, value: &str) -> Self {
        Self::Personal {
            subject,
            value: value.to_owned(),
        }
    }
}

/// Hides personal values.
impl std::fmt::Debug for MetaValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Public { value } => write!(f, "{value:?}"),
            Self::Count { value } => write!(f, "{value}"),
            Self::Personal { .. } => f.write_str("(personal)"),
        }
    }
}
