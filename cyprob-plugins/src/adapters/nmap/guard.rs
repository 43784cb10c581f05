//! What is looked at before the XML parser sees the text.

use std::borrow::Cow;

use crate::domain::{Code, Diagnostic, Limits, Position};

/// Most attributes of one element; the parser compares each with each.
const MAX_ATTRIBUTES: usize = 64;

/// Checks nesting, attributes and the document type; answers the text without
/// its bare document type, at the same places.
pub(super) fn check<'a>(text: &'a str, limits: &Limits) -> Result<Cow<'a, str>, Diagnostic> {
    let mut out = Cow::Borrowed(text);
    let (mut at, mut depth) = (0, 0_usize);
    let place = |offset: usize| Position::of_offset(text.as_bytes(), offset);
    let after = |from: usize, end: &str| {
        let found = text
            .get(from..)
            .and_then(|t| t.find(end))
            .map(|i| from + i + end.len());
        found.ok_or_else(|| Diagnostic::new(Code::Syntax, place(from), "markup without an end"))
    };
    while let Some(offset) = text.get(at..).and_then(|t| t.find('<')) {
        let start = at + offset;
        let rest = text.get(start..).unwrap_or_default();
        if rest.starts_with("<!--") {
            at = after(start + 4, "-->")?;
        } else if rest.starts_with("<![CDATA[") {
            at = after(start, "]]>")?;
        } else if rest.starts_with("<?") {
            at = after(start, "?>")?;
        } else if rest.starts_with("<!") {
            at = after(start, ">")?;
            let declared = text.get(start..at).unwrap_or_default();
            let name = declared
                .strip_prefix("<!DOCTYPE")
                .and_then(|t| t.strip_suffix('>'))
                .filter(|t| t.starts_with([' ', '\t', '\r', '\n']));
            if depth > 0 || name.map(str::trim) != Some("nmaprun") || matches!(out, Cow::Owned(_)) {
                return Err(Diagnostic::new(
                    Code::DocumentType,
                    place(start),
                    "only a bare <!DOCTYPE nmaprun> is allowed; remove subsets, entities and external ids",
                ));
            }
            // Spaces in its place, so that the parser needs no DTD support.
            let blank: String = declared
                .chars()
                .map(|c| if c == '\n' { '\n' } else { ' ' })
                .collect();
            let mut whole = text.to_owned();
            whole.replace_range(start..at, &blank);
            out = Cow::Owned(whole);
        } else if rest.starts_with("</") {
            depth = depth.saturating_sub(1);
            at = after(start, ">")?;
        } else {
            let (end, closed, attributes) = tag(rest).ok_or_else(|| {
                Diagnostic::new(Code::Syntax, place(start), "a tag without an end")
            })?;
            if attributes > MAX_ATTRIBUTES {
                return Err(Diagnostic::new(
                    Code::TooManyNodes,
                    place(start),
                    format!("an element with more than {MAX_ATTRIBUTES} attributes"),
                ));
            }
            if !closed {
                depth += 1;
                if depth > limits.depth {
                    return Err(Diagnostic::new(
                        Code::TooDeep,
                        place(start),
                        format!("nested deeper than {} elements", limits.depth),
                    ));
                }
            }
            at = start + end;
        }
    }
    Ok(out)
}

/// The length of a tag, whether it closes itself, and how many attributes it has.
fn tag(text: &str) -> Option<(usize, bool, usize)> {
    let (mut quote, mut attributes, mut last) = (None, 0, b'<');
    for (i, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(q), _) if q == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => attributes += 1,
            (None, b'>') => return Some((i + 1, last == b'/', attributes)),
            _ => {}
        }
        last = byte;
    }
    None
}
