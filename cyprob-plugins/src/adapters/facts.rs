//! Facts from JSON, JSON lines, YAML and Nmap XML.

use cyprob_core::adapters::document::{Kind, Node, guarded_text};

use crate::domain::{Code, Diagnostic, FactError, FactSet, Limits, Position, Value};

use super::node::{Typed as _, read_yaml};
use super::{json, nmap};

/// The notation of a fact file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactsFormat {
    /// A fact set, a fact map, a list of them, or one per line.
    Json,
    /// A fact map or a list of fact sets.
    Yaml,
    /// Nmap's XML output.
    NmapXml,
}

impl FactsFormat {
    /// The notation that a file's name promises, if it promises any.
    #[must_use]
    pub fn of_file_name(name: &str) -> Option<Self> {
        let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
        match extension.as_str() {
            "json" | "jsonl" | "ndjson" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "xml" => Some(Self::NmapXml),
            _ => None,
        }
    }
}

/// Facts could not be read; the place and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {} ({})", diagnostic.line, diagnostic.column, diagnostic.message, diagnostic.code)]
pub struct InputError {
    /// Code, place and sentence; the sentence ends with the remedy.
    pub diagnostic: Diagnostic,
}

impl From<Diagnostic> for InputError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic }
    }
}

/// Reads fact sets, one per target and port.
///
/// Without a format it is told from the first character: `<` is Nmap XML,
/// `{` or `[` JSON (and YAML, should JSON fail), everything else YAML. A map
/// with a `facts` map in it is a fact set `{target, port, facts}`; any other
/// map is one bare fact map, about no named target.
///
/// # Errors
///
/// [`InputError`] at the first broken limit, rule or form; nothing is kept.
pub fn read_facts(
    bytes: &[u8],
    format: Option<FactsFormat>,
    limits: &Limits,
) -> Result<Vec<FactSet>, InputError> {
    let text = guarded_text(bytes, limits.bytes).map_err(Diagnostic::from)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.trim_start().chars().next();
    let sets = match (format, first) {
        (Some(FactsFormat::NmapXml), _) | (None, Some('<')) => nmap::read(text, limits)?,
        (Some(FactsFormat::Yaml), _) => from_yaml(text, limits)?,
        (Some(FactsFormat::Json), _) => from_json(text, limits)?,
        (None, Some('{' | '[')) => match from_json(text, limits) {
            // A flow map of YAML looks like JSON until it does not.
            Err(json) if json.code == Code::Syntax => from_yaml(text, limits).map_err(|_| json)?,
            other => other?,
        },
        (None, _) => from_yaml(text, limits)?,
    };
    Ok(sets)
}

fn from_yaml(text: &str, limits: &Limits) -> Result<Vec<FactSet>, Diagnostic> {
    sets(&read_yaml(text, limits)?, limits)
}

fn from_json(text: &str, limits: &Limits) -> Result<Vec<FactSet>, Diagnostic> {
    let (first, end) = json::read_first(text, limits)?;
    if text
        .get(end..)
        .is_none_or(|rest| rest.trim_matches([' ', '\t', '\r', '\n']).is_empty())
    {
        return sets(&first, limits);
    }
    drop(first);
    let mut out = Vec::new();
    let mut left = limits.clone();
    for (i, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let moved = |mut d: Diagnostic| {
            d.line += i;
            d
        };
        let node = json::read(line, &left).map_err(moved)?;
        left.nodes = left.nodes.saturating_sub(count(&node));
        out.push(set(&node).map_err(moved)?);
        bounded(&out, || node.at, limits).map_err(moved)?;
    }
    Ok(out)
}

fn count(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(..) => 1,
        Kind::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Kind::Map(entries) => 1 + entries.iter().map(|(_, v)| 1 + count(v)).sum::<usize>(),
    }
}

fn sets(root: &Node, limits: &Limits) -> Result<Vec<FactSet>, Diagnostic> {
    let Kind::List(items) = &root.kind else {
        return Ok(vec![set(root)?]);
    };
    let mut out = Vec::new();
    for item in items {
        out.push(set(item)?);
        bounded(&out, || item.at, limits)?;
    }
    Ok(out)
}

/// Refuses too many sets; the place is asked for only then, because finding it
/// may cost a walk over the text.
pub(super) fn bounded(
    out: &[FactSet],
    at: impl FnOnce() -> Position,
    limits: &Limits,
) -> Result<(), Diagnostic> {
    if out.len() <= limits.fact_sets {
        return Ok(());
    }
    Err(bad(
        at(),
        format!("more than {} fact sets; split the input", limits.fact_sets),
    ))
}

fn bad(at: Position, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::BadFacts, at, message)
}

fn set(node: &Node) -> Result<FactSet, Diagnostic> {
    let Kind::Map(entries) = &node.kind else {
        return Err(bad(
            node.at,
            format!(
                "facts are a map or `{{target, port, facts}}`, not {}",
                node.type_name()
            ),
        ));
    };
    let record = entries
        .iter()
        .any(|(key, value)| key.text() == Some("facts") && matches!(value.kind, Kind::Map(_)));
    let (mut target, mut port, mut facts) = ("", None, entries.as_slice());
    if record {
        for (key, value) in entries {
            match key.text() {
                Some("target") if value.is_null() => {}
                Some("target") => {
                    let text = value
                        .text()
                        .filter(|_| matches!(value.value(), Ok(Value::String(_))));
                    target = text.ok_or_else(|| {
                        bad(
                            value.at,
                            "`target` must be a text, the host's name or address",
                        )
                    })?;
                }
                Some("port") => port = read_port(value)?,
                Some("facts") => {
                    if let Kind::Map(inner) = &value.kind {
                        facts = inner;
                    }
                }
                other => {
                    let shown = crate::domain::excerpt(other.unwrap_or("null"));
                    return Err(bad(
                        key.at,
                        format!("a fact set has no key {shown}; move it into `facts`"),
                    ));
                }
            }
        }
    }
    let mut out = FactSet::new(target, port).map_err(|e| bad(node.at, e.to_string()))?;
    for (key, value) in facts {
        let name = key
            .text()
            .ok_or_else(|| bad(key.at, "a fact key must be a text"))?;
        out.insert(name, value.value()?)
            .map_err(|e: FactError| bad(key.at, e.to_string()))?;
    }
    Ok(out)
}

fn read_port(node: &Node) -> Result<Option<u16>, Diagnostic> {
    match node.value()? {
        Value::Null => Ok(None),
        Value::Int(port) if u16::try_from(port).is_ok() => Ok(u16::try_from(port).ok()),
        _ => Err(bad(
            node.at,
            "`port` must be a number from 0 to 65535, or null",
        )),
    }
}

#[cfg(test)]
mod tests;
