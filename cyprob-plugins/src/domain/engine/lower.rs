//! From an operator and its value, as written, to a condition of fixed mode.

use crate::domain::compare::{self, Ordered};
use crate::domain::pattern::{Budget, Pattern, PatternError};
use crate::domain::version::FixedVersion;
use crate::domain::{Code, Operator, PatternLimits, Value};

use super::Issue;
use super::test::{Operand, Relation, Test, TextTest, VersionFrom, shown};

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
