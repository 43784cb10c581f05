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
//! check if nonce($n), ["…"].contains($n)                 (read, and refused)
//! ```

use biscuit_auth::format::schema;
use schema::op::Content as Op;
use schema::op_binary::Kind as Binary;
use schema::term::Content as Term;

use super::shape::ShapeError;
use super::symbols::Symbols;
use crate::domain::Narrowing;

/// How many strings a list literal may hold.
const MAX_LIST: usize = 64;

/// Reads one check of an appended block.
pub(super) fn narrowing(
    check: &schema::Check,
    symbols: &Symbols<'_>,
) -> Result<Narrowing, ShapeError> {
    let (name, ops) = template(check, symbols)?;
    match name {
        "permission" => Ok(Narrowing::Permissions(list(ops, symbols)?)),
        "resource" => Ok(Narrowing::Resources(list(ops, symbols)?)),
        "address_prefix" => {
            let texts = list(ops, symbols)?;
            let ranges: Result<_, _> = texts.iter().map(|text| text.parse()).collect();
            Ok(Narrowing::Addresses(
                ranges.map_err(|_| ShapeError::AddressRange)?,
            ))
        }
        "time" => before(ops).map(Narrowing::Before),
        "nonce" => {
            list(ops, symbols)?;
            Err(ShapeError::NonceUnsupported)
        }
        _ => Err(ShapeError::NoTemplate),
    }
}

/// Reads an expiry check: the time template and nothing else; gives the first second that is too late.
pub(super) fn expiry(check: &schema::Check, symbols: &Symbols<'_>) -> Result<u64, ShapeError> {
    match template(check, symbols)? {
        ("time", ops) => before(ops),
        _ => Err(ShapeError::NoTemplate),
    }
}

/// The predicate's name and the three operations after the variable was found to be one and the same.
fn template<'c>(
    check: &'c schema::Check,
    symbols: &Symbols<'c>,
) -> Result<(&'c str, [&'c Op; 3]), ShapeError> {
    // INVARIANT: `check all` and `reject if` have other meanings than `check if`
    if !matches!(check.kind, None | Some(0)) {
        return Err(ShapeError::NoTemplate);
    }
    let [query] = check.queries.as_slice() else {
        return Err(ShapeError::NoTemplate);
    };
    if symbols.get(query.head.name)? != "query"
        || !query.head.terms.is_empty()
        || !query.scope.is_empty()
    {
        return Err(ShapeError::NoTemplate);
    }
    let ([predicate], [expression]) = (query.body.as_slice(), query.expressions.as_slice()) else {
        return Err(ShapeError::NoTemplate);
    };
    let [
        schema::Term {
            content: Some(Term::Variable(variable)),
        },
    ] = predicate.terms.as_slice()
    else {
        return Err(ShapeError::NoTemplate);
    };
    symbols.get(u64::from(*variable))?;
    let [
        schema::Op { content: Some(a) },
        schema::Op { content: Some(b) },
        schema::Op { content: Some(c) },
    ] = expression.ops.as_slice()
    else {
        return Err(ShapeError::NoTemplate);
    };
    let uses = |op: &Op| matches!(value(op), Some(Term::Variable(v)) if v == variable);
    if uses(a) == uses(b) {
        return Err(ShapeError::NoTemplate);
    }
    Ok((symbols.get(predicate.name)?, [a, b, c]))
}

fn value(op: &Op) -> Option<&Term> {
    match op {
        Op::Value(term) => term.content.as_ref(),
        _ => None,
    }
}

fn binary(op: &Op) -> Option<Binary> {
    match op {
        Op::Binary(binary) if binary.ffi_name.is_none() => Binary::from_i32(binary.kind),
        _ => None,
    }
}

/// `[..].contains($x)`
fn list(ops: [&Op; 3], symbols: &Symbols<'_>) -> Result<Vec<String>, ShapeError> {
    let [literal, variable, operator] = ops;
    if !matches!(value(variable), Some(Term::Variable(_)))
        || binary(operator) != Some(Binary::Contains)
    {
        return Err(ShapeError::NoTemplate);
    }
    let items = match value(literal) {
        Some(Term::Array(array)) => &array.array,
        Some(Term::Set(set)) => &set.set,
        _ => return Err(ShapeError::NoTemplate),
    };
    if items.len() > MAX_LIST {
        return Err(ShapeError::ListTooLong);
    }
    let text = |term: &schema::Term| match term.content {
        Some(Term::String(index)) => symbols.get(index).map(str::to_owned),
        _ => Err(ShapeError::NoTemplate),
    };
    items.iter().map(text).collect()
}

/// `$t < DATE` or `$t <= DATE`, as the first second that is too late.
fn before(ops: [&Op; 3]) -> Result<u64, ShapeError> {
    let [variable, date, operator] = ops;
    let (Some(Term::Variable(_)), Some(Term::Date(date))) = (value(variable), value(date)) else {
        return Err(ShapeError::NoTemplate);
    };
    match binary(operator) {
        Some(Binary::LessThan) => Ok(*date),
        Some(Binary::LessOrEqual) => Ok(date.saturating_add(1)),
        _ => Err(ShapeError::NoTemplate),
    }
}
