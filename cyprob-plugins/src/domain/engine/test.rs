//! One condition of fixed mode: lowered at load, decided on one fact.

use std::cmp::Ordering;

use crate::domain::compare::{self, Ordered};
use crate::domain::pattern::{Budget, Pattern, PatternError, Work};
use crate::domain::template::Template;
use crate::domain::version::FixedVersion;
use crate::domain::{Code, FactSet, Operator, PatternLimits, Value};

use super::Issue;

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
    fn of(value: &Value) -> Self {
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

/// Gives an operator and its value their meaning, or says why they have none.
pub(crate) fn lower(
    operator: Operator,
    value: Option<&Value>,
    from: VersionFrom,
    limits: &PatternLimits,
    budget: &mut Budget,
) -> Result<Test, Issue> {
    let bad = |message: String| Issue::new(Code::BadValue, message);
    if operator == Operator::Exists {
        return match value {
            None => Ok(Test::Exists(true)),
            Some(Value::Bool(wanted)) => Ok(Test::Exists(*wanted)),
            Some(other) => Err(bad(format!(
                "`exists` needs true or false, not {}",
                other.type_name()
            ))),
        };
    }
    let value = value
        .ok_or_else(|| Issue::new(Code::MissingField, format!("`{operator}` needs a value")))?;
    let version_from = from;
    Ok(match operator {
        Operator::Exists | Operator::Equals => Test::Equals(Operand::of(value)),
        Operator::Contains => Test::Text(TextTest::Contains, text_operand(operator, value)?),
        Operator::StartsWith => Test::Text(TextTest::StartsWith, text_operand(operator, value)?),
        Operator::EndsWith => Test::Text(TextTest::EndsWith, text_operand(operator, value)?),
        Operator::Matches => {
            let Value::String(source) = value else {
                return Err(bad(format!(
                    "`matches` needs a text, not {}",
                    value.type_name()
                )));
            };
            Test::Matches(Box::new(Pattern::new(source, limits, budget).map_err(
                |error| match error {
                    PatternError::Syntax(text) => Issue::new(Code::BadPattern, text),
                    PatternError::Cost(text) => Issue::new(Code::CostlyPattern, text),
                },
            )?))
        }
        Operator::In | Operator::NotIn => {
            let Value::List(items) = value else {
                return Err(bad(format!(
                    "`{operator}` needs a list, not {}",
                    value.type_name()
                )));
            };
            let items = items.iter().map(Operand::of).collect();
            if operator == Operator::In {
                Test::In(items)
            } else {
                Test::NotIn(items)
            }
        }
        Operator::Gt => Test::Order(Relation::Gt, order_operand(operator, value)?),
        Operator::Gte => Test::Order(Relation::Gte, order_operand(operator, value)?),
        Operator::Lt => Test::Order(Relation::Lt, order_operand(operator, value)?),
        Operator::Lte => Test::Order(Relation::Lte, order_operand(operator, value)?),
        Operator::Between => {
            let (min, max) = bounds(operator, value)?;
            let read = |v: &Value| {
                Ordered::of(v).ok_or_else(|| bad(format!("{} has no order", v.type_name())))
            };
            let (min, max) = (read(min)?, read(max)?);
            if min.order(&max).is_none() {
                return Err(bad("one bound is a number, the other a time".to_owned()));
            }
            Test::Between(min, max)
        }
        Operator::VersionEq => Test::Version(Relation::Eq, version_operand(value)?, version_from),
        Operator::VersionGt => Test::Version(Relation::Gt, version_operand(value)?, version_from),
        Operator::VersionGte => Test::Version(Relation::Gte, version_operand(value)?, version_from),
        Operator::VersionLt => Test::Version(Relation::Lt, version_operand(value)?, version_from),
        Operator::VersionLte => Test::Version(Relation::Lte, version_operand(value)?, version_from),
        Operator::VersionBetween => {
            let (min, max) = bounds(operator, value)?;
            Test::VersionBetween(constant_version(min)?, constant_version(max)?, version_from)
        }
    })
}

/// Remarks on a value that lowers but is hardly meant so.
pub(crate) fn remarks(operator: Operator, value: Option<&Value>) -> Option<Issue> {
    let numeric = |v: &Value| matches!(v, Value::Float(_) | Value::Int(_) | Value::Uint(_));
    match (operator, value?) {
        (
            Operator::VersionEq
            | Operator::VersionGt
            | Operator::VersionGte
            | Operator::VersionLt
            | Operator::VersionLte,
            Value::Float(_),
        ) => Some(Issue::new(
            Code::VersionAsNumber,
            "a version without quotes loses its last zeros; quote it",
        )),
        (Operator::VersionBetween, Value::List(items))
            if items.iter().any(|v| matches!(v, Value::Float(_))) =>
        {
            Some(Issue::new(
                Code::VersionAsNumber,
                "a version without quotes loses its last zeros; quote it",
            ))
        }
        (Operator::Between, Value::List(items)) => match items.as_slice() {
            [min, max] if numeric(min) && numeric(max) => {
                let order = Ordered::of(min)?.order(&Ordered::of(max)?)?;
                order
                    .is_gt()
                    .then(|| Issue::new(Code::EmptyRange, "the lower bound is above the upper one"))
            }
            _ => None,
        },
        (Operator::In | Operator::NotIn, Value::List(items)) if items.is_empty() => {
            Some(Issue::new(Code::EmptyRange, "the list is empty"))
        }
        _ => None,
    }
}

fn text_operand(operator: Operator, value: &Value) -> Result<Operand, Issue> {
    if compare::text(value).is_none() {
        return Err(Issue::new(
            Code::BadValue,
            format!("`{operator}` needs a text, not {}", value.type_name()),
        ));
    }
    Ok(Operand::of(value))
}

fn order_operand(operator: Operator, value: &Value) -> Result<Operand, Issue> {
    match Operand::of(value) {
        Operand::Constant(constant) if Ordered::of(&constant).is_none() => Err(Issue::new(
            Code::BadValue,
            format!(
                "`{operator}` needs a number or a time, not {}",
                shown(value)
            ),
        )),
        operand => Ok(operand),
    }
}

fn version_operand(value: &Value) -> Result<Operand, Issue> {
    match Operand::of(value) {
        Operand::Constant(constant) => {
            constant_version(&constant)?;
            Ok(Operand::Constant(constant))
        }
        template @ Operand::Template(_) => Ok(template),
    }
}

fn constant_version(value: &Value) -> Result<FixedVersion, Issue> {
    compare::text(value)
        .and_then(|text| FixedVersion::parse(&text))
        .ok_or_else(|| Issue::new(Code::BadVersion, format!("{} is no version", shown(value))))
}

fn shown(value: &Value) -> String {
    compare::text(value).map_or_else(
        || value.type_name().to_owned(),
        |t| crate::domain::diagnostic::excerpt(&t),
    )
}

fn bounds(operator: Operator, value: &Value) -> Result<(&Value, &Value), Issue> {
    if let Value::List(items) = value
        && let [min, max] = items.as_slice()
    {
        return Ok((min, max));
    }
    Err(Issue::new(
        Code::BadValue,
        format!("`{operator}` needs a list of two bounds"),
    ))
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
