//! Typed values of facts and rules.

use std::cmp::Ordering;

use serde::{Serialize, Serializer};

use super::TimeValue;

/// A typed value, of a fact or of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing; not the empty text, except in compat mode.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number that fits 64 signed bits.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// A binary floating-point number, NaN and infinities included.
    Float(f64),
    /// A text.
    String(Box<str>),
    /// A date or time written without quotes in YAML.
    Time(Box<TimeValue>),
    /// A list.
    List(Vec<Value>),
    /// A map.
    Map(ValueMap),
}

impl Value {
    /// A text value.
    #[must_use]
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self::String(text.into())
    }

    /// A list of texts.
    #[must_use]
    pub fn texts<T: Into<Box<str>>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(|t| Self::String(t.into())).collect())
    }

    /// A whole number, in the narrowest variant.
    #[must_use]
    pub fn whole(number: u64) -> Self {
        i64::try_from(number).map_or(Self::Uint(number), Self::Int)
    }

    /// The word for this type in messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Uint(_) => "an integer",
            Self::Float(_) => "a number",
            Self::String(_) => "a text",
            Self::Time(_) => "a time",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Serialize for Value {
    /// As JSON: times as written, non-finite numbers as text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(i) => serializer.serialize_i64(*i),
            Self::Uint(u) => serializer.serialize_u64(*u),
            Self::Float(f) if f.is_finite() => serializer.serialize_f64(*f),
            Self::Float(_) => serializer.serialize_str(&super::goprint::to_text(self)),
            Self::String(s) => serializer.serialize_str(s),
            Self::Time(t) => serializer.serialize_str(t.as_written()),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(map) => serializer.collect_map(
                map.entries()
                    .map(|(k, v)| (super::goprint::to_text(&k.to_value()).into_owned(), v)),
            ),
        }
    }
}

/// A key of a map value; YAML allows more than texts.
#[derive(Debug, Clone, PartialEq)]
pub enum MapKey {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Whole(i128),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(Box<str>),
    /// A time.
    Time(Box<TimeValue>),
}

impl MapKey {
    /// The key of a scalar; `None` for a list or a map.
    #[must_use]
    pub fn of(value: Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(b),
            Value::Int(i) => Self::Whole(i.into()),
            Value::Uint(u) => Self::Whole(u.into()),
            Value::Float(f) => Self::Float(f),
            Value::String(s) => Self::Text(s),
            Value::Time(t) => Self::Time(t),
            Value::List(_) | Value::Map(_) => return None,
        })
    }

    /// The key as a value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Whole(n) => i64::try_from(*n).map_or_else(
                |_| Value::Uint(u64::try_from(*n).unwrap_or(u64::MAX)),
                Value::Int,
            ),
            Self::Float(f) => Value::Float(*f),
            Self::Text(s) => Value::String(s.clone()),
            Self::Time(t) => Value::Time(t.clone()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Whole(_) => 1,
            Self::Float(_) => 2,
            Self::Text(_) => 3,
            Self::Bool(_) => 4,
            Self::Time(_) => 5,
        }
    }

    /// The order in which Go prints map keys: by value within one type, with
    /// false before true and NaN first.
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a
                .partial_cmp(b)
                .unwrap_or_else(|| b.is_nan().cmp(&a.is_nan())),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.instant().cmp(&b.instant()),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// The entries of a map value, in Go's printing order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ValueMap(Vec<(MapKey, Value)>);

impl ValueMap {
    /// A map of these entries; the reader has refused equal keys already.
    #[must_use]
    pub fn new(mut entries: Vec<(MapKey, Value)>) -> Self {
        entries.sort_by(|a, b| a.0.order(&b.0));
        Self(entries)
    }

    /// The entries, in order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&MapKey, &Value)> {
        self.0.iter().map(|(k, v)| (k, v))
    }
}
