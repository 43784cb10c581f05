//! The guarded YAML reader.
//!
//! One scanner only, libyaml's, in front of everything: another one may see
//! other documents (a comment that ends at U+0085 hides an anchor from some).

use super::events::{Event, Events};
use super::{Builder, CoreTag, DocumentError, Fault, KeyKind, Limits, Node, Typing};
use crate::domain::{Position, excerpt};

/// Reads one YAML document; the first broken limit or rule ends it.
///
/// `kind` says what a plain key reads as: two keys are one if both their kinds
/// and their texts are.
///
/// # Errors
///
/// [`DocumentError`] with the rule and the place.
pub fn read_yaml(
    text: &str,
    limits: &Limits,
    kind: fn(&str) -> KeyKind,
) -> Result<Node, DocumentError> {
    directives(text, limits)?;
    let mut events = Events::new(text.as_bytes())?;
    let mut builder = Builder::new(*limits, kind);
    let mut documents = 0;
    loop {
        let (event, at) = events.next()?;
        match event {
            Event::End => break,
            Event::Document => {
                documents += 1;
                if documents > 1 {
                    return Err(DocumentError::new(
                        Fault::SecondDocument,
                        at,
                        "one file holds one document",
                    ));
                }
            }
            Event::Alias => {
                return Err(DocumentError::new(
                    Fault::Alias,
                    at,
                    "aliases are not allowed; write the value out",
                ));
            }
            Event::Anchored => {
                return Err(DocumentError::new(
                    Fault::Anchor,
                    at,
                    "anchors are not allowed; write the value out",
                ));
            }
            Event::Scalar { text, plain, tag } => {
                let typing = match tag.as_deref() {
                    None if plain => Typing::Plain,
                    None => Typing::Text,
                    Some(tag) => match CoreTag::scalar(tag) {
                        Some(CoreTag::Text) => Typing::Text,
                        Some(core) => Typing::Tagged(core),
                        None => return Err(custom_tag(tag, at)),
                    },
                };
                builder.scalar(at, &text, typing)?;
            }
            Event::Open { map, tag } => {
                if let Some(tag) = tag
                    && !CoreTag::is_collection(&tag, map)
                {
                    return Err(custom_tag(&tag, at));
                }
                builder.open(at, map)?;
            }
            Event::Close => builder.close()?,
            Event::Other => {}
        }
    }
    builder.finish().ok_or_else(|| {
        DocumentError::new(Fault::Empty, Position::START, "the file holds no document")
    })
}

fn custom_tag(tag: &str, at: Position) -> DocumentError {
    let shown = excerpt(tag);
    DocumentError::new(
        Fault::CustomTag,
        at,
        format!("the tag {shown} is not allowed"),
    )
}

/// libyaml searches its list of directives for each one: bound the list.
fn directives(text: &str, limits: &Limits) -> Result<(), DocumentError> {
    let breaks = |c: char| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut count = 0;
    for line in text.split(breaks) {
        if line.starts_with('%') {
            count += 1;
            if count > limits.directives {
                // The slice lies inside the text, so the distance is its offset.
                let offset = (line.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
                let at = Position::of_offset(text.as_bytes(), offset);
                return Err(DocumentError::new(
                    Fault::TooManyDirectives,
                    at,
                    format!(
                        "more than {} lines begin with a percent sign",
                        limits.directives
                    ),
                ));
            }
        }
    }
    Ok(())
}
