//! Fixed mode: what a plugin's author means, three-valued.

use crate::domain::excerpt;
use crate::domain::pattern::{Budget, Work};
use crate::domain::{
    Code, Diagnostic, Evidence, FactSet, Logic, Operator, PatternLimits, Plugin, Position, Rule,
    Trigger, TriggerKind, Value,
};

use super::compat::Answer;
use super::lower::{lower, remarks};
use super::test::{Test, Truth, VersionFrom};
use super::{Issue, evidence};

#[derive(Debug)]
pub(crate) struct Program {
    triggers: Vec<Condition>,
    matcher: Option<(Logic, Vec<Condition>)>,
}

#[derive(Debug)]
pub(crate) struct Condition {
    key: Box<str>,
    operator: Operator,
    test: Test,
    /// `service.port` falls back on the fact set's own port.
    own_port: bool,
}

impl Condition {
    fn decide(&self, facts: &FactSet, work: &Work) -> Truth {
        let port = match facts.port() {
            Some(port) if self.own_port && facts.get(&self.key).is_none() => {
                Some(Value::Int(port.into()))
            }
            _ => None,
        };
        self.test.decide(
            &self.key,
            port.as_ref().or_else(|| facts.get(&self.key)),
            facts,
            work,
        )
    }
}

impl Program {
    /// Lowers every part.
    pub(crate) fn new(plugin: &Plugin, limits: &PatternLimits) -> Result<Self, Vec<Diagnostic>> {
        let (program, diagnostics) = check(plugin, limits);
        let errors: Vec<_> = diagnostics
            .into_iter()
            .filter(|d| d.code.level() == crate::domain::Level::Error)
            .collect();
        if errors.is_empty() {
            Ok(program)
        } else {
            Err(errors)
        }
    }

    /// The key of a trigger that an absent fact makes false; false beats
    /// everything, so nothing else matters then.
    pub(crate) fn required_key(&self) -> Option<&str> {
        self.triggers
            .iter()
            .find(|t| t.test.needs_presence() && !t.own_port)
            .map(|t| &*t.key)
    }

    pub(crate) fn evaluate(&self, facts: &FactSet) -> Answer {
        let work = Work::new();
        let triggered = Truth::all(
            self.triggers
                .iter()
                .enumerate()
                .map(|(i, t)| numbered("trigger", i, t.decide(facts, &work))),
        );
        match triggered {
            Truth::True => {}
            Truth::False => return Ok(None),
            Truth::Error(message) => return Err(message),
        }
        let Some((logic, rules)) = &self.matcher else {
            return Ok(Some(proof(&self.triggers, facts)));
        };
        let mut held = Vec::new();
        let truths = rules.iter().enumerate().map(|(i, rule)| {
            let truth = numbered("rule", i, rule.decide(facts, &work));
            if truth == Truth::True {
                evidence(
                    &mut held,
                    &rule.key,
                    rule.operator.as_str(),
                    facts.get(&rule.key),
                );
            }
            truth
        });
        let matched = match logic {
            Logic::And => Truth::all(truths),
            // Every rule is looked at, so that the evidence is whole.
            Logic::Or => Truth::any(truths.collect::<Vec<_>>().into_iter()),
            Logic::Not => Truth::any(truths).not(),
        };
        match matched {
            Truth::True if held.is_empty() => Ok(Some(proof(&self.triggers, facts))),
            Truth::True => Ok(Some(held)),
            Truth::False => Ok(None),
            Truth::Error(message) => Err(message),
        }
    }
}

fn numbered(kind: &str, index: usize, truth: Truth) -> Truth {
    match truth {
        Truth::Error(message) => Truth::Error(format!("{kind} {}: {message}", index + 1)),
        other => other,
    }
}

fn proof(triggers: &[Condition], facts: &FactSet) -> Vec<Evidence> {
    let mut out = Vec::new();
    for trigger in triggers {
        evidence(
            &mut out,
            &trigger.key,
            trigger.operator.as_str(),
            facts.get(&trigger.key),
        );
    }
    out
}

/// Lowers a plugin and says everything about its rule language, with places.
pub(crate) fn check(plugin: &Plugin, limits: &PatternLimits) -> (Program, Vec<Diagnostic>) {
    let mut checker = Checker {
        limits,
        budget: Budget::new(limits),
        diagnostics: Vec::new(),
    };
    let triggers = plugin
        .triggers
        .iter()
        .flat_map(|t| checker.trigger(t))
        .collect();
    let matcher = plugin.matcher.as_ref().and_then(|block| {
        let logic = Logic::exact(&block.logic);
        if logic.is_none() {
            checker.say(
                Issue::new(
                    Code::UnknownLogic,
                    format!(
                        "unknown logic {}; AND, OR and NOT exist",
                        excerpt(&block.logic)
                    ),
                ),
                block.logic_at,
            );
        }
        if block.rules.is_empty() {
            checker.say(
                Issue::new(Code::NoRules, "a match block needs rules"),
                block.logic_at,
            );
        }
        let rules = block.rules.iter().filter_map(|r| checker.rule(r)).collect();
        Some((logic?, rules))
    });
    (Program { triggers, matcher }, checker.diagnostics)
}

struct Checker<'a> {
    limits: &'a PatternLimits,
    budget: Budget,
    diagnostics: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn say(&mut self, issue: Issue, at: Position) {
        self.diagnostics.push(issue.at(at));
    }

    fn trigger(&mut self, trigger: &Trigger) -> Vec<Condition> {
        match &trigger.kind {
            TriggerKind::Condition {
                key,
                condition,
                value,
                condition_at,
                value_at,
            } => {
                if key.is_empty() {
                    self.say(
                        Issue::new(Code::MissingField, "a trigger needs `data_key`"),
                        trigger.at,
                    );
                }
                let operator = self.operator(condition, true, *condition_at);
                operator
                    .and_then(|op| {
                        self.condition(key, op, value.as_ref(), VersionFrom::Whole, *value_at)
                    })
                    .into_iter()
                    .collect()
            }
            TriggerKind::Service { port, service } => {
                self.say(
                    Issue::new(
                        Code::ServiceTrigger,
                        "read as conditions on `service.port` and `service.name`",
                    ),
                    trigger.at,
                );
                let mut out = Vec::new();
                for (key, value) in [("service.port", port), ("service.name", service)] {
                    let Some(value) = value else { continue };
                    let operator = match value {
                        Value::List(_) => Operator::In,
                        _ => Operator::Equals,
                    };
                    if let Some(mut condition) =
                        self.condition(key, operator, Some(value), VersionFrom::Whole, trigger.at)
                    {
                        condition.own_port = key == "service.port";
                        out.push(condition);
                    }
                }
                out
            }
        }
    }

    fn rule(&mut self, rule: &Rule) -> Option<Condition> {
        if rule.field.is_empty() {
            self.say(
                Issue::new(Code::MissingField, "a rule needs `field`"),
                rule.at,
            );
        }
        let operator = self.operator(&rule.operator, false, rule.operator_at)?;
        let from = if rule.version_from_banner {
            VersionFrom::Banner
        } else {
            VersionFrom::Whole
        };
        self.condition(
            &rule.field,
            operator,
            rule.value.as_ref(),
            from,
            rule.value_at,
        )
    }

    fn operator(&mut self, word: &str, trigger: bool, at: Position) -> Option<Operator> {
        let (code, kind) = if trigger {
            (Code::UnknownCondition, "condition")
        } else {
            (Code::UnknownOperator, "operator")
        };
        if word.is_empty() {
            self.say(
                Issue::new(Code::MissingField, format!("`{kind}` is missing")),
                at,
            );
            return None;
        }
        let found = Operator::exact(word).or_else(|| Operator::alias(word));
        match found {
            Some(op) if !trigger || op.is_condition() => {
                if op.as_str() != word {
                    let message = format!("{} was read as `{op}`", excerpt(word));
                    self.say(Issue::new(Code::OperatorAlias, message), at);
                }
                Some(op)
            }
            Some(op) => {
                self.say(
                    Issue::new(
                        code,
                        format!("`{op}` is a rule operator, not a trigger condition"),
                    ),
                    at,
                );
                None
            }
            None => {
                self.say(
                    Issue::new(code, format!("unknown {kind} {}", excerpt(word))),
                    at,
                );
                None
            }
        }
    }

    fn condition(
        &mut self,
        key: &str,
        operator: Operator,
        value: Option<&Value>,
        from: VersionFrom,
        at: Position,
    ) -> Option<Condition> {
        if operator == Operator::Exists && value.is_none() {
            self.say(
                Issue::new(
                    Code::ExistsDefault,
                    "`exists` without a value was read as true",
                ),
                at,
            );
        }
        if let Some(remark) = remarks(operator, value) {
            self.say(remark, at);
        }
        match lower(operator, value, from, self.limits, &mut self.budget) {
            Ok(test) => Some(Condition {
                key: key.into(),
                operator,
                test,
                own_port: false,
            }),
            Err(issue) => {
                self.say(issue, at);
                None
            }
        }
    }
}
