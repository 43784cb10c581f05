//! From Go's syntax to that of the crate regex, with an estimate of its cost.

use super::PatternError;
use super::class::{self, Input, literal, syntax};

/// Go refuses repetitions whose nested counts multiply past this.
const MAX_REPEAT: u64 = 1000;

pub(super) struct Translated {
    pub(super) pattern: String,
    pub(super) weight: u64,
}

/// What a repetition could apply to.
#[derive(Clone, Copy)]
struct Atom {
    weight: u64,
    /// The largest product of counted repetitions inside.
    repeats: u64,
    /// Whether it is a repetition itself, which Go lets no other follow at once.
    repeated: bool,
    /// Whether it was one before flags came.
    wrapped: bool,
    /// Where it stands in the translation. Flags may come between an atom and
    /// its repetition: Go still repeats the atom.
    start: usize,
    end: usize,
}

#[derive(Default)]
struct Frame {
    weight: u64,
    repeats: u64,
    last: Option<Atom>,
    fold: bool,
    /// Where the group's parenthesis stands in the translation.
    start: usize,
}

impl Frame {
    fn push(&mut self, atom: Option<Atom>) {
        if let Some(old) = std::mem::replace(&mut self.last, atom) {
            self.weight = self.weight.saturating_add(old.weight);
            self.repeats = self.repeats.max(old.repeats);
        }
    }

    /// Writes an atom and remembers where it stands.
    fn atom(&mut self, weight: u64, out: &mut String, write: impl FnOnce(&mut String)) {
        let weight = if self.fold { weight * 2 } else { weight };
        let start = out.len();
        write(out);
        self.push(Some(Atom {
            weight,
            repeats: 1,
            repeated: false,
            wrapped: false,
            start,
            end: out.len(),
        }));
    }
}

pub(super) fn translate(source: &str, nest: u32) -> Result<Translated, PatternError> {
    let mut out = String::with_capacity(source.len() + 16);
    let mut stack: Vec<Frame> = Vec::new();
    let mut frame = Frame::default();
    let mut input: Input<'_> = source.chars().peekable();
    while let Some(c) = input.next() {
        match c {
            '|' => {
                frame.push(None);
                frame.weight = frame.weight.saturating_add(1);
                out.push('|');
            }
            '(' => {
                let (opening, flags_only, fold) = group(&mut input, frame.fold)?;
                let start = out.len();
                out.push_str(&opening);
                if flags_only {
                    if let Some(atom) = frame.last.as_mut() {
                        atom.repeated = false;
                    }
                    frame.fold = fold;
                } else {
                    if stack.len() >= nest as usize {
                        return Err(PatternError::Cost(format!(
                            "the pattern nests deeper than {nest}"
                        )));
                    }
                    let inner = Frame {
                        fold,
                        start,
                        ..Frame::default()
                    };
                    stack.push(std::mem::replace(&mut frame, inner));
                }
            }
            ')' => {
                frame.push(None);
                let outer = stack
                    .pop()
                    .ok_or_else(|| syntax("unexpected closing parenthesis"))?;
                let inner = std::mem::replace(&mut frame, outer);
                out.push(')');
                frame.push(Some(Atom {
                    weight: inner.weight.saturating_add(1),
                    repeats: inner.repeats.max(1),
                    repeated: false,
                    wrapped: false,
                    start: inner.start,
                    end: out.len(),
                }));
            }
            '*' | '+' | '?' => repeat(&mut frame, &mut input, &mut out, &c.to_string(), (0, None))?,
            '{' => match counted(&mut input)? {
                Some((text, bounds)) => repeat(&mut frame, &mut input, &mut out, &text, bounds)?,
                None => {
                    frame.atom(1, &mut out, |o| literal('{', o));
                }
            },
            '[' => {
                let class = class::bracket(&mut input)?;
                frame.atom(class.weight, &mut out, |o| o.push_str(&class.text));
            }
            '.' => {
                frame.atom(8, &mut out, |o| o.push('.'));
            }
            '^' | '$' => {
                frame.atom(1, &mut out, |o| o.push(c));
            }
            '\\' => escaped(&mut frame, &mut input, &mut out)?,
            _ => {
                frame.atom(c.len_utf8() as u64, &mut out, |o| literal(c, o));
            }
        }
    }
    if !stack.is_empty() {
        return Err(syntax("missing closing parenthesis"));
    }
    frame.push(None);
    Ok(Translated {
        pattern: out,
        weight: frame.weight,
    })
}

fn escaped(frame: &mut Frame, input: &mut Input<'_>, out: &mut String) -> Result<(), PatternError> {
    let assertion = match input.peek() {
        Some('A') => r"\A",
        Some('z') => r"\z",
        Some('b') => r"(?-u:\b)",
        Some('B') => r"(?-u:\B)",
        Some('Q') => {
            input.next();
            while let Some(c) = input.next() {
                if c == '\\' && input.peek() == Some(&'E') {
                    input.next();
                    break;
                }
                frame.atom(c.len_utf8() as u64, out, |o| literal(c, o));
            }
            return Ok(());
        }
        Some(p @ ('p' | 'P')) => {
            let negated = *p == 'P';
            input.next();
            let class = class::unicode(negated, input)?;
            frame.atom(class.weight, out, |o| o.push_str(&class.text));
            return Ok(());
        }
        Some(c) => {
            if let Some(text) = class::perl(*c) {
                input.next();
                frame.atom(5, out, |o| o.push_str(text));
            } else {
                let c = class::escape(input)?;
                frame.atom(c.len_utf8() as u64, out, |o| literal(c, o));
            }
            return Ok(());
        }
        None => return Err(syntax("trailing backslash")),
    };
    input.next();
    frame.atom(1, out, |o| o.push_str(assertion));
    Ok(())
}

/// A repetition after the last atom; `bounds` are zero and none for `* + ?`.
fn repeat(
    frame: &mut Frame,
    input: &mut Input<'_>,
    out: &mut String,
    text: &str,
    bounds: (u64, Option<u64>),
) -> Result<(), PatternError> {
    let Some(atom) = frame.last.as_mut() else {
        return Err(syntax("missing argument to repetition operator"));
    };
    if atom.repeated {
        return Err(syntax("invalid nested repetition operator"));
    }
    let count = bounds.1.unwrap_or(bounds.0);
    if count > 0 {
        atom.repeats = atom.repeats.saturating_mul(count);
        if atom.repeats > MAX_REPEAT {
            return Err(syntax("invalid repeat count"));
        }
    }
    atom.weight = atom.weight.saturating_mul(count.max(1)).saturating_add(1);
    let lazy = input.next_if_eq(&'?').map_or("", |_| "?");
    if atom.end == out.len() && !atom.wrapped {
        out.push_str(text);
        out.push_str(lazy);
        atom.end = out.len();
    } else {
        // Flags came in between: repeat the atom where it stands.
        let end = format!("){text}{lazy}");
        out.insert_str(atom.end, &end);
        out.insert_str(atom.start, "(?:");
        atom.end += end.len() + 3;
    }
    atom.repeated = true;
    atom.wrapped = true;
    Ok(())
}

type Counted = (String, (u64, Option<u64>));

/// `{n}`, `{n,}` or `{n,m}` after the brace; `None` when the brace is a
/// literal, with nothing read.
fn counted(input: &mut Input<'_>) -> Result<Option<Counted>, PatternError> {
    let mut ahead = input.clone();
    let Some(min) = number(&mut ahead) else {
        return Ok(None);
    };
    let mut max = Some(min);
    let mut open = false;
    if ahead.peek() == Some(&',') {
        ahead.next();
        if ahead.peek() == Some(&'}') {
            open = true;
        } else {
            max = match number(&mut ahead) {
                Some(max) => Some(max),
                None => return Ok(None),
            };
        }
    }
    if ahead.next() != Some('}') {
        return Ok(None);
    }
    *input = ahead;
    if min > MAX_REPEAT || max.is_some_and(|m| m > MAX_REPEAT || m < min) {
        return Err(syntax("invalid repeat count"));
    }
    let text = if open {
        format!("{{{min},}}")
    } else {
        format!("{{{min},{}}}", max.unwrap_or(min))
    };
    Ok(Some((text, (min, if open { None } else { max }))))
}

/// Digits without a leading zero.
fn number(input: &mut Input<'_>) -> Option<u64> {
    let first = input.peek()?.to_digit(10)?;
    input.next();
    let mut value = u64::from(first);
    while let Some(digit) = input.peek().and_then(|c| c.to_digit(10)) {
        if first == 0 {
            return None;
        }
        input.next();
        value = value.saturating_mul(10).saturating_add(digit.into());
    }
    Some(value)
}

/// A parenthesis has been read: its opening, whether it only sets flags, and
/// whether letter case is ignored from here on.
fn group(input: &mut Input<'_>, mut fold: bool) -> Result<(String, bool, bool), PatternError> {
    let unsupported = || syntax("invalid or unsupported Perl syntax");
    if input.peek() != Some(&'?') {
        return Ok(("(?:".to_owned(), false, fold));
    }
    input.next();
    let named = match input.peek() {
        Some('<') => true,
        Some('P') => {
            input.next();
            if input.peek() != Some(&'<') {
                return Err(unsupported());
            }
            true
        }
        _ => false,
    };
    if named {
        input.next();
        let mut length = 0;
        loop {
            match input.next() {
                Some('>') if length > 0 => return Ok(("(?:".to_owned(), false, fold)),
                Some(c) if c.is_ascii_alphanumeric() || c == '_' => length += 1,
                _ => return Err(syntax("invalid named capture")),
            }
        }
    }
    let (mut on, mut off) = (String::new(), String::new());
    let (mut negative, mut any) = (false, false);
    let flags_only = loop {
        match input.next() {
            Some(flag @ ('i' | 'm' | 's' | 'U')) => {
                any = true;
                let (add, remove) = if negative {
                    (&mut off, &mut on)
                } else {
                    (&mut on, &mut off)
                };
                remove.retain(|c| c != flag);
                if !add.contains(flag) {
                    add.push(flag);
                }
                if flag == 'i' {
                    fold = !negative;
                }
            }
            Some('-') if !negative => {
                negative = true;
                any = false;
            }
            Some(end @ (':' | ')')) if !negative || any => break end == ')',
            _ => return Err(unsupported()),
        }
    };
    let mut text = String::from("(?");
    text.push_str(&on);
    if !off.is_empty() {
        text.push('-');
        text.push_str(&off);
    }
    match (flags_only, text.len()) {
        (true, 2) => text.clear(),
        (true, _) => text.push(')'),
        (false, _) => text.push(':'),
    }
    Ok((text, flags_only, fold))
}
