//! `{{key}}` in texts of rules and outputs, resolved in fixed mode only.

use super::{FactSet, Value, compare};

/// Longest text a template may grow to, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// A text with references to facts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Literal(Box<str>),
    Key(Box<str>),
}

impl Template {
    /// The template in a text; `None` when it holds no reference.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once("{{") {
            let Some((inside, after)) = tail.split_once("}}") else {
                break;
            };
            let key = inside.trim();
            if key.is_empty()
                || !key
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
            {
                // Not a reference: keep it, and look on behind the braces.
                parts.push(Part::Literal(format!("{before}{{{{").into()));
                rest = tail;
                continue;
            }
            parts.push(Part::Literal(before.into()));
            parts.push(Part::Key(key.into()));
            rest = after;
        }
        parts.push(Part::Literal(rest.into()));
        parts.retain(|p| !matches!(p, Part::Literal(t) if t.is_empty()));
        parts
            .iter()
            .any(|p| matches!(p, Part::Key(_)))
            .then_some(Self(parts))
    }

    /// The value: that of the fact itself when the text is one reference,
    /// else a text; `None` when a fact is missing, has no text form, or the
    /// text would pass 64 KiB.
    pub(crate) fn resolve(&self, facts: &FactSet) -> Option<Value> {
        if let [Part::Key(key)] = self.0.as_slice() {
            return facts.get(key).cloned();
        }
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Key(key) => out.push_str(&compare::text(facts.get(key)?)?),
            }
            if out.len() > MAX_BYTES {
                return None;
            }
        }
        Some(Value::text(out))
    }
}

/// A text for people: references resolved, those without a fact left as they
/// are, cut at 64 KiB.
pub(crate) fn render(text: &str, facts: &FactSet) -> String {
    let Some(template) = Template::parse(text) else {
        return text.to_owned();
    };
    let mut out = String::new();
    for part in &template.0 {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::Key(key) => match facts.get(key).and_then(compare::text) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&format!("{{{{{key}}}}}")),
            },
        }
        if out.len() > MAX_BYTES {
            let mut end = MAX_BYTES;
            while !out.is_char_boundary(end) {
                end -= 1;
            }
            out.truncate(end);
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_resolve_typed_or_as_text() {
        let mut facts = FactSet::new("h", None).unwrap();
        facts.insert("a.b", Value::Int(7)).unwrap();
        let resolve = |t: &str| Template::parse(t).and_then(|t| t.resolve(&facts));
        assert_eq!(resolve("{{a.b}}"), Some(Value::Int(7)));
        assert_eq!(resolve("x{{ a.b }}y{{a.b}}"), Some(Value::text("x7y7")));
        assert_eq!(resolve("{{a.c}}"), None);
        for plain in ["", "{{", "}}", "{{}}", "{{a b}}", "{a.b}", "{{a.b}"] {
            assert!(Template::parse(plain).is_none(), "{plain}");
        }
        assert_eq!(
            render("port {{a.b}}, {{none}} {{", &facts),
            "port 7, {{none}} {{"
        );
        assert_eq!(resolve("{{x y}}{{a.b}}"), Some(Value::text("{{x y}}7")));
    }

    #[test]
    fn growth_is_bounded() {
        let mut facts = FactSet::new("h", None).unwrap();
        facts.insert("k", Value::text("é".repeat(20_000))).unwrap();
        let text = "x{{k}}".repeat(100);
        assert!(render(&text, &facts).len() <= MAX_BYTES);
        assert_eq!(Template::parse(&text).unwrap().resolve(&facts), None);
    }
}
