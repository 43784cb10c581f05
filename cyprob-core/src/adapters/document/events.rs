//! libyaml's event parser behind a safe interface.
//!
//! The one file with `unsafe`: libyaml-rs is a translation of
//! the C library and has no safe interface, yaml_serde (built on it) has no
//! event interface, and another scanner would see other documents than this
//! one does. The parser is boxed because it holds a pointer to itself; the
//! input outlives it by its lifetime; every event is copied out and freed
//! before the next one is asked for.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use libyaml_rs as sys;

use super::{DocumentError, Fault};
use crate::domain::Position;

/// One step of a document.
pub(super) enum Event {
    /// The stream is over.
    End,
    /// A document begins.
    Document,
    /// An alias.
    Alias,
    /// Anything with an anchor.
    Anchored,
    /// A scalar; `plain` when it has no quotes and is no block.
    Scalar {
        text: String,
        plain: bool,
        tag: Option<String>,
    },
    /// A list or a map begins.
    Open { map: bool, tag: Option<String> },
    /// The last opened one ends.
    Close,
    /// Nothing of interest.
    Other,
}

/// The events of one input.
pub(super) struct Events<'a> {
    parser: Box<MaybeUninit<sys::yaml_parser_t>>,
    input: PhantomData<&'a [u8]>,
    /// After a failure the parser is not asked again.
    failed: bool,
}

impl<'a> Events<'a> {
    pub(super) fn new(input: &'a [u8]) -> Result<Self, DocumentError> {
        let mut parser = Box::new(MaybeUninit::<sys::yaml_parser_t>::uninit());
        // SAFETY: the memory is writable and of the right type; initialize
        // fills it and fails without leaving anything to free.
        if unsafe { sys::yaml_parser_initialize(parser.as_mut_ptr()) }.fail {
            return Err(DocumentError::new(
                Fault::Syntax,
                Position::START,
                "the parser did not start",
            ));
        }
        // SAFETY: the parser is initialized and stays where it is, in its
        // box; `input` lives as long as `'a`, which `Self` carries.
        unsafe {
            sys::yaml_parser_set_encoding(parser.as_mut_ptr(), sys::YAML_UTF8_ENCODING);
            sys::yaml_parser_set_input_string(
                parser.as_mut_ptr(),
                input.as_ptr(),
                input.len() as u64,
            );
        }
        Ok(Self {
            parser,
            input: PhantomData,
            failed: false,
        })
    }

    /// The next event and its place.
    pub(super) fn next(&mut self) -> Result<(Event, Position), DocumentError> {
        if self.failed {
            return Err(DocumentError::new(
                Fault::Syntax,
                Position::START,
                "the parser has failed before",
            ));
        }
        let mut event = MaybeUninit::<sys::yaml_event_t>::uninit();
        // SAFETY: the parser is initialized and has not failed; the event's
        // memory is writable. On success the event is initialized.
        if unsafe { sys::yaml_parser_parse(self.parser.as_mut_ptr(), event.as_mut_ptr()) }.fail {
            self.failed = true;
            return Err(self.problem());
        }
        // SAFETY: the event was initialized above. The union's fields are
        // read only under the type that owns them; texts are copied; then the
        // event is freed once and not used again.
        unsafe {
            let raw = event.as_ptr();
            let at = position(&(*raw).start_mark);
            let copied = convert(&*raw);
            sys::yaml_event_delete(event.as_mut_ptr());
            Ok((copied, at))
        }
    }

    fn problem(&self) -> DocumentError {
        // SAFETY: the parser is initialized; its error fields are set after a
        // failure; `problem` is null or a static NUL-terminated text.
        let (text, mark, offset) = unsafe {
            let parser = &*self.parser.as_ptr();
            let text = if parser.problem.is_null() {
                "not well formed".to_owned()
            } else {
                CStr::from_ptr(parser.problem.cast())
                    .to_string_lossy()
                    .into_owned()
            };
            (text, position(&parser.problem_mark), parser.problem_offset)
        };
        let message = if mark == Position::START && offset > 0 {
            format!("{text} (byte {offset})")
        } else {
            text
        };
        DocumentError::new(Fault::Syntax, mark, message)
    }
}

impl Drop for Events<'_> {
    fn drop(&mut self) {
        // SAFETY: the parser is initialized and freed here only.
        unsafe { sys::yaml_parser_delete(self.parser.as_mut_ptr()) }
    }
}

fn position(mark: &sys::yaml_mark_t) -> Position {
    Position {
        line: usize::try_from(mark.line).unwrap_or(usize::MAX - 1) + 1,
        column: usize::try_from(mark.column).unwrap_or(usize::MAX - 1) + 1,
    }
}

/// SAFETY: the event is initialized.
unsafe fn convert(event: &sys::yaml_event_t) -> Event {
    // SAFETY: by the caller; each union field is read under its own type.
    unsafe {
        match event.type_ {
            sys::YAML_STREAM_END_EVENT => Event::End,
            sys::YAML_DOCUMENT_START_EVENT => Event::Document,
            sys::YAML_ALIAS_EVENT => Event::Alias,
            sys::YAML_SCALAR_EVENT => {
                let scalar = &event.data.scalar;
                if !scalar.anchor.is_null() {
                    return Event::Anchored;
                }
                let length = usize::try_from(scalar.length).unwrap_or(0);
                let bytes = if scalar.value.is_null() {
                    &[][..]
                } else {
                    std::slice::from_raw_parts(scalar.value, length)
                };
                Event::Scalar {
                    text: String::from_utf8_lossy(bytes).into_owned(),
                    plain: scalar.style == sys::YAML_PLAIN_SCALAR_STYLE,
                    tag: text(scalar.tag),
                }
            }
            sys::YAML_SEQUENCE_START_EVENT => {
                let start = &event.data.sequence_start;
                if !start.anchor.is_null() {
                    return Event::Anchored;
                }
                Event::Open {
                    map: false,
                    tag: text(start.tag),
                }
            }
            sys::YAML_MAPPING_START_EVENT => {
                let start = &event.data.mapping_start;
                if !start.anchor.is_null() {
                    return Event::Anchored;
                }
                Event::Open {
                    map: true,
                    tag: text(start.tag),
                }
            }
            sys::YAML_SEQUENCE_END_EVENT | sys::YAML_MAPPING_END_EVENT => Event::Close,
            _ => Event::Other,
        }
    }
}

/// SAFETY: `raw` is null or a NUL-terminated text.
unsafe fn text(raw: *const u8) -> Option<String> {
    if raw.is_null() {
        return None;
    }
    // SAFETY: by the caller.
    Some(
        unsafe { CStr::from_ptr(raw.cast()) }
            .to_string_lossy()
            .into_owned(),
    )
}
