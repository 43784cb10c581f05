//! Character classes and escapes of Go's syntax.

use std::iter::Peekable;
use std::str::Chars;

use super::PatternError;

pub(super) type Input<'a> = Peekable<Chars<'a>>;

/// A class in the syntax of the crate regex, with its estimated states.
pub(super) struct Class {
    pub(super) text: String,
    pub(super) weight: u64,
}

pub(super) fn syntax(message: impl Into<String>) -> PatternError {
    PatternError::Syntax(message.into())
}

/// One character, written so that it has no other meaning.
pub(super) fn literal(c: char, out: &mut String) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
    }
}

/// `\d`, `\s`, `\w` and their negations, ASCII only.
pub(super) fn perl(c: char) -> Option<&'static str> {
    Some(match c {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\x0C\r ]",
        'S' => r"[^\t\n\x0C\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

/// The character after a backslash that stands for one character.
pub(super) fn escape(input: &mut Input<'_>) -> Result<char, PatternError> {
    let c = input.next().ok_or_else(|| syntax("trailing backslash"))?;
    let invalid = || syntax(format!("invalid escape sequence `\\{}`", c.escape_debug()));
    Ok(match c {
        '1'..='7' if !input.peek().is_some_and(|n| n.is_digit(8)) => return Err(invalid()),
        '0'..='7' => {
            let mut value = u32::from(c) - u32::from('0');
            for _ in 0..2 {
                match input.peek().and_then(|n| n.to_digit(8)) {
                    Some(digit) => {
                        value = value * 8 + digit;
                        input.next();
                    }
                    None => break,
                }
            }
            char::from_u32(value).ok_or_else(invalid)?
        }
        'x' => hex(input).ok_or_else(invalid)?,
        'a' => '\x07',
        'f' => '\x0C',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0B',
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
        _ => return Err(invalid()),
    })
}

fn hex(input: &mut Input<'_>) -> Option<char> {
    let mut value = 0_u32;
    if input.peek() == Some(&'{') {
        input.next();
        let mut digits = 0;
        loop {
            match input.next()? {
                '}' if digits > 0 => break,
                c => value = value.checked_mul(16)?.checked_add(c.to_digit(16)?)?,
            }
            digits += 1;
            if value > 0x10_FFFF {
                return None;
            }
        }
    } else {
        for _ in 0..2 {
            value = value * 16 + input.next()?.to_digit(16)?;
        }
    }
    char::from_u32(value)
}

/// `\p` or `\P` has been read: the name, checked against what Go knows.
pub(super) fn unicode(negated: bool, input: &mut Input<'_>) -> Result<Class, PatternError> {
    let mut name = String::new();
    match input.next() {
        Some('{') => loop {
            match input.next() {
                Some('}') => break,
                Some(c) if name.len() < 64 => name.push(c),
                _ => return Err(syntax("invalid character class `\\p{`")),
            }
        },
        Some(c) => name.push(c),
        None => return Err(syntax("invalid character class `\\p`")),
    }
    let (name, negated) = match name.strip_prefix('^') {
        Some(rest) => (rest, !negated),
        None => (name.as_str(), negated),
    };
    const CATEGORIES: &str = " C Cc Cf Co L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs ";
    let positive = if name == "Any" {
        r"[\x{0}-\x{10FFFF}]".to_owned()
    } else if name == "C" {
        // Go's C does not hold what is unassigned.
        r"[\p{Cc}\p{Cf}\p{Co}]".to_owned()
    } else if !name.is_empty() && !name.contains(' ') && CATEGORIES.contains(&format!(" {name} ")) {
        format!(r"\p{{gc={name}}}")
    } else if name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.len() > 2
        && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
    {
        format!(r"\p{{sc={name}}}")
    } else {
        return Err(syntax(format!(
            "invalid character class {}",
            crate::domain::excerpt(name)
        )));
    };
    let text = if negated {
        format!("[^{positive}]")
    } else {
        positive
    };
    Ok(Class { text, weight: 400 })
}

/// A bracket has been read: everything up to its end.
pub(super) fn bracket(input: &mut Input<'_>) -> Result<Class, PatternError> {
    let mut text = String::from("[");
    let mut weight = 1;
    let missing = || syntax("missing closing bracket");
    if input.peek() == Some(&'^') {
        input.next();
        text.push('^');
        weight = 2;
    }
    let mut first = true;
    loop {
        let c = *input.peek().ok_or_else(missing)?;
        if c == ']' && !first {
            input.next();
            break;
        }
        first = false;
        weight += 1;
        if c == '[' {
            if let Some(name) = posix(input)? {
                text.push_str(&name);
                continue;
            }
        } else if c == '\\' {
            let mut ahead = input.clone();
            ahead.next();
            match ahead.next() {
                Some(p @ ('p' | 'P')) => {
                    *input = ahead;
                    let class = unicode(p == 'P', input)?;
                    text.push_str(&class.text);
                    weight += class.weight;
                    continue;
                }
                Some(c) if perl(c).is_some() => {
                    *input = ahead;
                    text.push_str(perl(c).unwrap_or_default());
                    continue;
                }
                _ => {}
            }
        }
        let low = class_char(input)?;
        let mut ahead = input.clone();
        let mut high = low;
        if ahead.next() == Some('-') && ahead.peek().is_some_and(|n| *n != ']') {
            input.next();
            high = class_char(input)?;
            if high < low {
                return Err(syntax("invalid character class range"));
            }
        }
        literal(low, &mut text);
        if high != low {
            text.push('-');
            literal(high, &mut text);
        }
        if !high.is_ascii() {
            weight += 6;
        }
    }
    text.push(']');
    Ok(Class { text, weight })
}

fn class_char(input: &mut Input<'_>) -> Result<char, PatternError> {
    match input.next() {
        None => Err(syntax("missing closing bracket")),
        Some('\\') => escape(input),
        Some(c) => Ok(c),
    }
}

/// `[:name:]` at this place; `None` when this is only a bracket.
fn posix(input: &mut Input<'_>) -> Result<Option<String>, PatternError> {
    let mut ahead = input.clone();
    ahead.next();
    if ahead.next() != Some(':') {
        return Ok(None);
    }
    let mut name = String::new();
    loop {
        match ahead.next() {
            Some(':') if ahead.peek() == Some(&']') => {
                ahead.next();
                break;
            }
            Some(c) => name.push(c),
            None => return Ok(None),
        }
        if name.len() > 4096 {
            return Ok(None);
        }
    }
    const NAMES: &str =
        " alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit ";
    let plain = name.strip_prefix('^').unwrap_or(&name);
    if plain.is_empty() || plain.contains(' ') || !NAMES.contains(&format!(" {plain} ")) {
        return Err(syntax(format!(
            "invalid character class range {}",
            crate::domain::excerpt(&name)
        )));
    }
    *input = ahead;
    Ok(Some(format!("[:{name}:]")))
}
