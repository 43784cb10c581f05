//! Compat mode: to the letter as Cyprob's engine answers.
//!
//! Rules are decided in order and the first error ends the plugin. A missing
//! fact makes a rule false before its operator is looked at; a trigger looks
//! at its condition first.

use crate::domain::pattern::{Budget, Pattern, PatternError, Work};
use crate::domain::version::LooseVersion;
use crate::domain::{
    Evidence, FactSet, Format, Logic, Operator, PatternLimits, Plugin, TriggerKind, Value, goprint,
};

use super::evidence;

/// `Ok(Some)` is a match with its evidence, `Ok(None)` none.
pub(crate) type Answer = Result<Option<Vec<Evidence>>, String>;

#[derive(Debug)]
pub(crate) struct Program {
    triggers: Vec<Step>,
    matcher: Option<(Result<Logic, String>, Vec<Step>)>,
}

#[derive(Debug)]
struct Step {
    key: String,
    operator: Result<Operator, String>,
    value: Value,
    /// Of `matches` only.
    pattern: Option<Result<Pattern, String>>,
}

impl Program {
    pub(crate) fn new(plugin: &Plugin, limits: &PatternLimits) -> Self {
        let mut budget = Budget::new(limits);
        let json = plugin.format == Format::Json;
        let mut step = |key: &str, word: &str, value: Option<&Value>, trigger: bool| {
            let known = Operator::exact(word).filter(|op| !trigger || op.is_condition());
            let value = match value {
                None => Value::Null,
                Some(value) if json => json_numbers(value),
                Some(value) => value.clone(),
            };
            let pattern = (known == Some(Operator::Matches))
                .then(|| compile(&goprint::to_text(&value), limits, &mut budget));
            Step {
                key: key.to_owned(),
                operator: known.ok_or_else(|| {
                    let kind = if trigger {
                        "trigger condition"
                    } else {
                        "operator"
                    };
                    format!("unknown {kind} {}", crate::domain::excerpt(word))
                }),
                value,
                pattern,
            }
        };
        let triggers = plugin
            .triggers
            .iter()
            .map(|trigger| match &trigger.kind {
                TriggerKind::Condition {
                    key,
                    condition,
                    value,
                    ..
                } => step(key, condition, value.as_ref(), true),
                // Cyprob's loader leaves key and condition of this form empty.
                TriggerKind::Service { .. } => step("", "", None, true),
            })
            .collect();
        let matcher = plugin.matcher.as_ref().map(|block| {
            let logic = Logic::exact(&block.logic)
                .ok_or_else(|| format!("unknown logic {}", crate::domain::excerpt(&block.logic)));
            let rules = block
                .rules
                .iter()
                .map(|rule| step(&rule.field, &rule.operator, rule.value.as_ref(), false))
                .collect();
            (logic, rules)
        });
        Self { triggers, matcher }
    }

    /// The first trigger's key, if nothing can go wrong before it is found
    /// missing.
    pub(crate) fn required_key(&self) -> Option<&str> {
        let first = self.triggers.first()?;
        match (first.operator.as_ref().ok()?, &first.value) {
            (Operator::Exists, Value::Bool(true)) => Some(&first.key),
            (Operator::Exists, _) => None,
            _ => Some(&first.key),
        }
    }

    pub(crate) fn evaluate(&self, facts: &FactSet) -> Answer {
        let work = Work::new();
        let mut proof = Vec::new();
        for (i, trigger) in self.triggers.iter().enumerate() {
            let actual = facts.get(&trigger.key);
            let at = |e: &str| format!("trigger {}: {e}", i + 1);
            let operator = *trigger.operator.as_ref().map_err(|e| at(e))?;
            let held = match (operator, actual) {
                (Operator::Exists, _) => {
                    actual.is_some() == expected_bool(&trigger.value).map_err(|e| at(&e))?
                }
                (_, None) => false,
                (_, Some(actual)) => trigger.apply(operator, actual, &work).map_err(|e| at(&e))?,
            };
            if !held {
                return Ok(None);
            }
            evidence(&mut proof, &trigger.key, operator.as_str(), actual);
        }
        let Some((logic, rules)) = &self.matcher else {
            return Ok(Some(proof));
        };
        if rules.is_empty() {
            return Err("the match block has no rules".to_owned());
        }
        let (mut any, mut all) = (false, true);
        let mut rule_proof = Vec::new();
        for (i, rule) in rules.iter().enumerate() {
            let actual = facts.get(&rule.key);
            let held = match actual {
                None => false,
                Some(actual) => {
                    let at = |e: &str| format!("rule {}: {e}", i + 1);
                    let operator = *rule.operator.as_ref().map_err(|e| at(e))?;
                    let held = rule.apply(operator, actual, &work).map_err(|e| at(&e))?;
                    if held {
                        evidence(&mut rule_proof, &rule.key, operator.as_str(), Some(actual));
                    }
                    held
                }
            };
            any |= held;
            all &= held;
        }
        let matched = match logic.as_ref().map_err(Clone::clone)? {
            Logic::And => all,
            Logic::Or => any,
            Logic::Not => !any,
        };
        let proof = if rule_proof.is_empty() {
            proof
        } else {
            rule_proof
        };
        Ok(matched.then_some(proof))
    }
}

impl Step {
    fn apply(&self, operator: Operator, actual: &Value, work: &Work) -> Result<bool, String> {
        let expected = &self.value;
        let text = goprint::to_text;
        Ok(match operator {
            Operator::Exists => expected_bool(expected)?,
            Operator::Equals => text(actual) == text(expected),
            Operator::Contains => text(actual).contains(&*text(expected)),
            Operator::StartsWith => text(actual).starts_with(&*text(expected)),
            Operator::EndsWith => text(actual).ends_with(&*text(expected)),
            Operator::Matches => {
                let pattern = match &self.pattern {
                    Some(Ok(pattern)) => pattern,
                    Some(Err(message)) => return Err(message.clone()),
                    None => return Err("no pattern".to_owned()),
                };
                pattern.is_match(&text(actual), work)?
            }
            Operator::In => is_in(actual, expected)?,
            Operator::NotIn => !is_in(actual, expected)?,
            Operator::Gt => goprint::to_number(actual)? > goprint::to_number(expected)?,
            Operator::Gte => goprint::to_number(actual)? >= goprint::to_number(expected)?,
            Operator::Lt => goprint::to_number(actual)? < goprint::to_number(expected)?,
            Operator::Lte => goprint::to_number(actual)? <= goprint::to_number(expected)?,
            Operator::Between => {
                let actual = goprint::to_number(actual)?;
                let (min, max) = bounds(expected)?;
                let (min, max) = (goprint::to_number(min)?, goprint::to_number(max)?);
                actual >= min && actual <= max
            }
            Operator::VersionEq => order(actual, expected)?.is_eq(),
            Operator::VersionGt => order(actual, expected)?.is_gt(),
            Operator::VersionGte => order(actual, expected)?.is_ge(),
            Operator::VersionLt => order(actual, expected)?.is_lt(),
            Operator::VersionLte => order(actual, expected)?.is_le(),
            Operator::VersionBetween => {
                version(&text(actual))?;
                let (min, max) = bounds(expected)?;
                order(actual, min)?.is_ge() & order(actual, max)?.is_le()
            }
        })
    }
}

fn compile(source: &str, limits: &PatternLimits, budget: &mut Budget) -> Result<Pattern, String> {
    Pattern::new(source, limits, budget).map_err(|error| match error {
        PatternError::Syntax(text) | PatternError::Cost(text) => text,
    })
}

fn expected_bool(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(b) => Ok(*b),
        other => Err(format!(
            "`exists` needs true or false, not {}",
            other.type_name()
        )),
    }
}

fn is_in(actual: &Value, expected: &Value) -> Result<bool, String> {
    let Value::List(items) = expected else {
        return Err(format!("a list is needed, not {}", expected.type_name()));
    };
    let actual = goprint::to_text(actual);
    Ok(items.iter().any(|item| goprint::to_text(item) == actual))
}

fn bounds(expected: &Value) -> Result<(&Value, &Value), String> {
    match expected {
        Value::List(items) => match items.as_slice() {
            [min, max] => Ok((min, max)),
            _ => Err("a list of two bounds is needed".to_owned()),
        },
        _ => Err("a list of two bounds is needed".to_owned()),
    }
}

fn version(text: &str) -> Result<LooseVersion<'_>, String> {
    LooseVersion::parse(text)
        .ok_or_else(|| format!("{} is no version", crate::domain::excerpt(text)))
}

fn order(actual: &Value, expected: &Value) -> Result<std::cmp::Ordering, String> {
    let (actual, expected) = (goprint::to_text(actual), goprint::to_text(expected));
    Ok(version(&actual)?.order(&version(&expected)?))
}

/// Go's JSON decoder makes every number a float64.
fn json_numbers(value: &Value) -> Value {
    match value {
        #[allow(clippy::cast_precision_loss)] // as Go does
        Value::Int(i) => Value::Float(*i as f64),
        #[allow(clippy::cast_precision_loss)] // as Go does
        Value::Uint(u) => Value::Float(*u as f64),
        Value::List(items) => Value::List(items.iter().map(json_numbers).collect()),
        Value::Map(map) => Value::Map(crate::domain::ValueMap::new(
            map.entries()
                .map(|(k, v)| (k.clone(), json_numbers(v)))
                .collect(),
        )),
        other => other.clone(),
    }
}
