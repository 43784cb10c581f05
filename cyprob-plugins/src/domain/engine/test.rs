//! One condition of fixed mode: lowered at load, decided on one fact.

use std::cmp::Ordering;

use crate::domain::compare::{self, Ordered};
use crate::domain::pattern::{Pattern, Work};
use crate::domain::template::Template;
use crate::domain::version::FixedVersion;
use crate::domain::{FactSet, Value};

/// Three-valued: an error is never a "no".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Error(String),
}

impl From<bool> for Truth {
    fn from(held: bool) -> Self {
        if held { Self::True } else { Self::False }
    }
}

impl Truth {
    pub(crate) fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            error => error,
        }
    }

    /// Kleene's or: true beats an error, an error beats false.
    pub(crate) fn any(all: impl Iterator<Item = Self>) -> Self {
        let mut result = Self::False;
        for truth in all {
            match truth {
                Self::True => return Self::True,
                Self::Error(_) if result == Self::False => result = truth,
                _ => {}
            }
        }
        result
    }

    /// Kleene's and: false beats an error, an error beats true.
    pub(crate) fn all(all: impl Iterator<Item = Self>) -> Self {
        Self::any(all.map(Self::not)).not()
    }
}

/// A constant, or a text with references to other facts.
#[derive(Debug)]
pub(crate) enum Operand {
    Constant(Value),
    Template(Template),
}

impl Operand {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::String(text) => {
                Template::parse(text).map_or_else(|| Self::Constant(value.clone()), Self::Template)
            }
            other => Self::Constant(other.clone()),
        }
    }

    /// `None` when a referenced fact is missing.
    fn with<T>(&self, facts: &FactSet, use_it: impl FnOnce(&Value) -> T) -> Option<T> {
        match self {
            Self::Constant(value) => Some(use_it(value)),
            Self::Template(template) => template.resolve(facts).map(|value| use_it(&value)),
        }
    }
}

/// A lowered condition.
#[derive(Debug)]
pub(crate) enum Test {
    Exists(bool),
    Equals(Operand),
    Text(TextTest, Operand),
    Matches(Box<Pattern>),
    In(Vec<Operand>),
    NotIn(Vec<Operand>),
    Order(Relation, Operand),
    Between(Ordered, Ordered),
    Version(Relation, Operand, VersionFrom),
    VersionBetween(FixedVersion, FixedVersion, VersionFrom),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Relation {
    Eq,
    Gt,
    Gte,
    Lt,
    Lte,
}

/// Where a fact's version is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionFrom {
    Whole,
    Banner,
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Gt => order.is_gt(),
            Self::Gte => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Lte => order.is_le(),
        }
    }
}

/// A value for a message.
pub(super) fn shown(value: &Value) -> String {
    compare::text(value).map_or_else(
        || value.type_name().to_owned(),
        |t| crate::domain::excerpt(&t),
    )
}

impl Test {
    /// Whether an absent fact (with nothing under its key) makes it false.
    pub(crate) fn needs_presence(&self) -> bool {
        !matches!(self, Self::Exists(false))
    }

    /// Decides the condition on the fact of this key.
    pub(crate) fn decide(
        &self,
        key: &str,
        actual: Option<&Value>,
        facts: &FactSet,
        work: &Work,
    ) -> Truth {
        match (self, actual) {
            (Self::Exists(wanted), _) => Truth::from((actual.is_some() || facts.has_under(key)) == *wanted),
            (_, None) => Truth::False,
            (Self::NotIn(items), Some(actual)) => is_in(items, actual, facts).not(),
            (Self::In(items), Some(actual)) => is_in(items, actual, facts),
            (Self::Equals(operand), Some(actual)) => operand
                .with(facts, |expected| {
                    if compare::equal(actual, expected) {
                        return true;
                    }
                    matches!(actual, Value::List(items) if items.iter().any(|item| compare::equal(item, expected)))
                })
                .map_or(Truth::False, Truth::from),
            (_, Some(actual)) => self.decide_item(actual, facts, work),
        }
    }

    /// Lists hold when one of their items does.
    fn decide_item(&self, actual: &Value, facts: &FactSet, work: &Work) -> Truth {
        if let Value::List(items) = actual {
            return Truth::any(items.iter().map(|item| self.decide_item(item, facts, work)));
        }
        match self {
            Self::Text(test, operand) => {
                let actual = match text_of(actual) {
                    Ok(Some(text)) => text,
                    Ok(None) => return Truth::False,
                    Err(error) => return error,
                };
                let held = operand.with(facts, |expected| {
                    compare::text(expected).is_some_and(|expected| match test {
                        TextTest::Contains => actual.contains(&*expected),
                        TextTest::StartsWith => actual.starts_with(&*expected),
                        TextTest::EndsWith => actual.ends_with(&*expected),
                    })
                });
                held.map_or(Truth::False, Truth::from)
            }
            Self::Matches(pattern) => match text_of(actual) {
                Ok(Some(text)) => pattern
                    .is_match(&text, work)
                    .map_or_else(Truth::Error, Truth::from),
                Ok(None) => Truth::False,
                Err(error) => error,
            },
            Self::Order(relation, operand) => operand
                .with(facts, |expected| {
                    order(actual, &Ordered::of(expected), |o| relation.holds(o))
                })
                .unwrap_or(Truth::False),
            Self::Between(min, max) => Truth::all(
                [
                    order(actual, &Some(min.clone()), Ordering::is_ge),
                    order(actual, &Some(max.clone()), Ordering::is_le),
                ]
                .into_iter(),
            ),
            Self::Version(relation, operand, from) => operand
                .with(facts, |expected| {
                    let expected = compare::text(expected).and_then(|t| FixedVersion::parse(&t));
                    match (read_version(actual, *from), expected) {
                        (Some(a), Some(e)) => Truth::from(relation.holds(a.order(&e))),
                        (None, _) => Truth::Error(format!("{} is no version", shown(actual))),
                        (_, None) => Truth::Error("the referenced fact is no version".to_owned()),
                    }
                })
                .unwrap_or(Truth::False),
            Self::VersionBetween(min, max, from) => match read_version(actual, *from) {
                Some(a) => Truth::from(a.order(min).is_ge() && a.order(max).is_le()),
                None => Truth::Error(format!("{} is no version", shown(actual))),
            },
            // Decided before, on the whole fact.
            Self::Exists(_) | Self::Equals(_) | Self::In(_) | Self::NotIn(_) => Truth::False,
        }
    }
}

fn is_in(items: &[Operand], actual: &Value, facts: &FactSet) -> Truth {
    let one = |actual: &Value| {
        items.iter().any(|item| {
            item.with(facts, |expected| compare::equal(actual, expected))
                .unwrap_or(false)
        })
    };
    Truth::from(match actual {
        Value::List(list) => one(actual) || list.iter().any(one),
        _ => one(actual),
    })
}

fn text_of(actual: &Value) -> Result<Option<std::borrow::Cow<'_, str>>, Truth> {
    match actual {
        Value::Null => Ok(None),
        Value::Map(_) => Err(Truth::Error(
            "the fact is a map, which has no text".to_owned(),
        )),
        other => Ok(compare::text(other)),
    }
}

fn order(actual: &Value, expected: &Option<Ordered>, holds: impl Fn(Ordering) -> bool) -> Truth {
    let Some(number) = Ordered::of(actual) else {
        return Truth::Error(format!("{} is no number and no time", shown(actual)));
    };
    match expected.as_ref().and_then(|e| number.order(e)) {
        Some(order) => Truth::from(holds(order)),
        None => Truth::Error("a number and a time cannot be compared".to_owned()),
    }
}

fn read_version(actual: &Value, from: VersionFrom) -> Option<FixedVersion> {
    let text = compare::text(actual)?;
    match from {
        VersionFrom::Whole => FixedVersion::parse(&text),
        VersionFrom::Banner => FixedVersion::from_banner(&text),
    }
}
