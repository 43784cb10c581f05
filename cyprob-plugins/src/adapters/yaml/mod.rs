//! The guarded YAML reader.
//!
//! One scanner only, libyaml's, in front of everything: another one may see
//! other documents (a comment that ends at U+0085 hides an anchor from some).

mod events;
pub(crate) mod scalar;

use crate::domain::{Code, Diagnostic, Limits, Position};

use super::node::{Builder, Node, Typing};
use events::{Event, Events};
use scalar::CoreTag;

/// Reads one YAML document; the first broken limit or rule ends it.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Node, Diagnostic> {
    directives(text, limits)?;
    let mut events = Events::new(text.as_bytes())?;
    let mut builder = Builder::new(limits);
    let mut documents = 0;
    loop {
        let (event, at) = events.next()?;
        match event {
            Event::End => break,
            Event::Document => {
                documents += 1;
                if documents > 1 {
                    return Err(Diagnostic::new(
                        Code::SecondDocument,
                        at,
                        "one file holds one document",
                    ));
                }
            }
            Event::Alias => {
                return Err(Diagnostic::new(
                    Code::Alias,
                    at,
                    "aliases are not allowed; write the value out",
                ));
            }
            Event::Anchored => {
                return Err(Diagnostic::new(
                    Code::Anchor,
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
    builder
        .finish()
        .ok_or_else(|| Diagnostic::new(Code::Empty, Position::START, "the file holds no document"))
}

fn custom_tag(tag: &str, at: Position) -> Diagnostic {
    let shown = crate::domain::excerpt(tag);
    Diagnostic::new(
        Code::CustomTag,
        at,
        format!("the tag {shown} is not allowed"),
    )
}

/// libyaml searches its list of directives for each one: bound the list.
fn directives(text: &str, limits: &Limits) -> Result<(), Diagnostic> {
    let breaks = |c: char| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut count = 0;
    for line in text.split(breaks) {
        if line.starts_with('%') {
            count += 1;
            if count > limits.directives {
                // The slice lies inside the text, so the distance is its offset.
                let offset = (line.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
                let at = Position::of_offset(text.as_bytes(), offset);
                return Err(Diagnostic::new(
                    Code::TooManyDirectives,
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

#[cfg(test)]
mod tests;
