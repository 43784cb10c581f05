//! The check templates, matched structurally.
//!
//! A check is admitted if it reads as one of these, with a list literal of at
//! most 64 strings (a set literal is the same) and any name for the variable:
//!
//! ```text
//! check if permission($p), ["runs:read"].contains($p)
//! check if resource($r), ["run_0190…"].contains($r)
//! check if time($t), $t < 2026-11-23T12:00:00Z          (or <=)
//! check if address_prefix($a), ["10.0.0.0/8"].contains($a)
//! check if nonce($n), ["4f1c…"].contains($n)             (once for each)
//! ```
//!
//! The numbers below are those of the messages and operators in Biscuit's schema.

use super::reader::{Reader, Value};
use super::shape::ShapeError;
use super::symbols::Symbols;
use crate::domain::Narrowing;

/// How many strings a list literal may hold.
const MAX_LIST: usize = 64;

pub(super) const LESS_THAN: u64 = 0;
const LESS_OR_EQUAL: u64 = 2;
const CONTAINS: u64 = 5;

/// How much a token's lists may still hold, over all its blocks.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) strings: usize,
    pub(super) ranges: usize,
    pub(super) uses: usize,
}

/// Reads one check of an appended block.
pub(super) fn narrowing(
    check: Reader<'_>,
    symbols: &Symbols<'_>,
    room: &mut Room,
) -> Result<Narrowing, ShapeError> {
    let found = template(check, symbols)?;
    let owned = |text: &str| Ok(text.to_owned());
    match found.predicate {
        "permission" => {
            let names = found.list(symbols, &mut room.strings, owned)?;
            Ok(Narrowing::Permissions(names))
        }
        "resource" => {
            let ids = found.list(symbols, &mut room.strings, owned)?;
            Ok(Narrowing::Resources(ids))
        }
        "address_prefix" => {
            let range = |text: &str| text.parse().map_err(|_| ShapeError::AddressRange);
            let ranges = found.list(symbols, &mut room.ranges, range)?;
            Ok(Narrowing::Addresses(ranges))
        }
        "time" => found.before().map(Narrowing::Before),
        "nonce" => {
            let words = found.list(symbols, &mut room.uses, word)?;
            Ok(Narrowing::OneUse(words))
        }
        _ => Err(ShapeError::NoTemplate),
    }
}

/// The word of a use; it is hashed when the use is taken, never here.
fn word(text: &str) -> Result<String, ShapeError> {
    if (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(ShapeError::UseWord)
    }
}

/// Reads an expiry check: the time template and nothing else; gives the first second that is too late.
pub(super) fn expiry(check: Reader<'_>, symbols: &Symbols<'_>) -> Result<u64, ShapeError> {
    let found = template(check, symbols)?;
    match found.predicate {
        "time" => found.before(),
        _ => Err(ShapeError::NoTemplate),
    }
}

/// A check of one predicate of one variable and one expression of three operations.
struct Template<'a> {
    predicate: &'a str,
    variable: u64,
    ops: [Reader<'a>; 3],
}

fn template<'a>(check: Reader<'a>, symbols: &Symbols<'a>) -> Result<Template<'a>, ShapeError> {
    let raw = raw(check).ok_or(ShapeError::NoTemplate)?;
    if symbols.get(raw.head)? != "query" {
        return Err(ShapeError::NoTemplate);
    }
    symbols.get(raw.variable)?;
    Ok(Template {
        predicate: symbols.get(raw.predicate)?,
        variable: raw.variable,
        ops: raw.ops,
    })
}

/// The same, with names as their places in the symbols.
struct Raw<'a> {
    head: u64,
    predicate: u64,
    variable: u64,
    ops: [Reader<'a>; 3],
}

fn raw(mut check: Reader<'_>) -> Option<Raw<'_>> {
    let mut query = check.message(1)?;
    // INVARIANT: `check all` (1) and `reject if` (2) have other meanings than `check if`
    if !matches!(check.number_if(2)?, None | Some(0)) {
        return None;
    }
    check.end()?;

    let mut head = query.message(1)?;
    let mut body = query.message(2)?;
    let mut expression = query.message(3)?;
    query.end()?;
    let head_name = head.number(1)?;
    head.end()?;
    let predicate = body.number(1)?;
    let variable = variable(body.message(2)?)?;
    body.end()?;
    let ops = [
        expression.message(1)?,
        expression.message(1)?,
        expression.message(1)?,
    ];
    expression.end()?;
    Some(Raw {
        head: head_name,
        predicate,
        variable,
        ops,
    })
}

/// A term that is a variable, as its place in the symbols.
fn variable(mut term: Reader<'_>) -> Option<u64> {
    let variable = term.number(1)?;
    term.end()?;
    (variable <= u64::from(u32::MAX)).then_some(variable)
}

/// The term of an operation that is a value.
fn value(mut op: Reader<'_>) -> Option<Reader<'_>> {
    let term = op.message(1)?;
    op.end()?;
    Some(term)
}

/// The operator of an operation that is binary.
fn binary(mut op: Reader<'_>) -> Option<u64> {
    let mut binary = op.message(3)?;
    op.end()?;
    let kind = binary.number(1)?;
    binary.end()?;
    Some(kind)
}

impl Template<'_> {
    /// `[..].contains($x)`, each string read as `item` says.
    fn list<T>(
        &self,
        symbols: &Symbols<'_>,
        room: &mut usize,
        item: impl Fn(&str) -> Result<T, ShapeError>,
    ) -> Result<Vec<T>, ShapeError> {
        let mut items = self.literal().ok_or(ShapeError::NoTemplate)?;
        let mut list = Vec::new();
        while let Some(term) = items.bytes_if(1).ok_or(ShapeError::NoTemplate)? {
            let Some(Value::String(index)) = Value::read(Reader::new(term)) else {
                return Err(ShapeError::NoTemplate);
            };
            *room = room.checked_sub(1).ok_or(ShapeError::ListTooLong)?;
            if list.len() == MAX_LIST {
                return Err(ShapeError::ListTooLong);
            }
            list.push(item(symbols.get(index)?)?);
        }
        items.end().ok_or(ShapeError::NoTemplate)?;
        Ok(list)
    }

    fn literal(&self) -> Option<Reader<'_>> {
        let [literal, subject, operator] = self.ops;
        let mut term = value(literal)?;
        // an array (9) or a set (7), which hold their terms alike
        let items = match term.next_field()? {
            kind @ (7 | 9) => term.message(kind)?,
            _ => return None,
        };
        term.end()?;
        let same = variable(value(subject)?)? == self.variable;
        (same && binary(operator)? == CONTAINS).then_some(items)
    }

    /// `$t < DATE` or `$t <= DATE`, as the first second that is too late.
    fn before(&self) -> Result<u64, ShapeError> {
        self.deadline().ok_or(ShapeError::NoTemplate)
    }

    fn deadline(&self) -> Option<u64> {
        let [subject, date, operator] = self.ops;
        if variable(value(subject)?)? != self.variable {
            return None;
        }
        let Value::Date(date) = Value::read(value(date)?)? else {
            return None;
        };
        match binary(operator)? {
            LESS_THAN => Some(date),
            LESS_OR_EQUAL => Some(date.saturating_add(1)),
            _ => None,
        }
    }
}
