//! The type of a plain scalar, as yaml.v3 finds it.

use cyprob_core::adapters::document::{CoreTag, is_null};

use crate::domain::{TimeValue, Value};

/// Null, boolean, number, time or text; `yes` and `on` are texts.
pub(crate) fn resolve(text: &str) -> Value {
    if is_null(text) {
        return Value::Null;
    }
    match text {
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Value::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let number = match text.as_bytes().first() {
        // Go's own number syntax after a point, underscores included.
        Some(b'.') => crate::domain::parse_float(text).ok().map(Value::Float),
        Some(b'0'..=b'9' | b'+' | b'-') => TimeValue::parse_yaml(text)
            .map(|t| Value::Time(Box::new(t)))
            .or_else(|| number(&text.replace('_', ""))),
        _ => None,
    };
    number.unwrap_or_else(|| Value::text(text))
}

/// A scalar with a tag; `None` when the text does not fit it.
pub(crate) fn resolve_tagged(text: &str, tag: CoreTag) -> Option<Value> {
    let value = resolve(text);
    match (tag, &value) {
        (CoreTag::Text, _) => Some(Value::text(text)),
        (CoreTag::Null, Value::Null)
        | (CoreTag::Bool, Value::Bool(_))
        | (CoreTag::Int, Value::Int(_) | Value::Uint(_))
        | (CoreTag::Float, Value::Float(_))
        | (CoreTag::Time, Value::Time(_)) => Some(value),
        #[allow(clippy::cast_precision_loss)] // the author asked for a float
        (CoreTag::Float, Value::Int(i)) => Some(Value::Float(*i as f64)),
        _ => None,
    }
}

/// A number of a valid JSON document: whole when it fits 64 bits.
pub(crate) fn json_number(text: &str) -> Value {
    if let Ok(i) = text.parse::<i64>()
        && text != "-0"
    {
        return Value::Int(i);
    }
    if let Ok(u) = text.parse::<u64>() {
        return Value::Uint(u);
    }
    Value::Float(text.parse().unwrap_or(f64::NAN))
}

fn number(plain: &str) -> Option<Value> {
    whole(plain)
        .or_else(|| float(plain))
        .or_else(|| prefixed(plain))
}

/// Decimal, or with a base prefix `0x 0b 0o`, or octal after a zero.
fn whole(plain: &str) -> Option<Value> {
    let (negative, signed, body) = match plain.as_bytes().first() {
        Some(b'-') => (true, true, plain.get(1..)?),
        Some(b'+') => (false, true, plain.get(1..)?),
        _ => (false, false, plain),
    };
    let (radix, digits) = match body.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, body.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, body.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, body.get(2..)?),
        [b'0', _, ..] => (8, body.get(1..)?),
        _ => (10, body),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Value::Int);
    }
    match i64::try_from(magnitude) {
        Ok(i) => Some(Value::Int(i)),
        // Go reads an unsigned number only without a sign.
        Err(_) => (!signed).then_some(Value::Uint(magnitude)),
    }
}

fn float(plain: &str) -> Option<Value> {
    let body = plain.strip_prefix(['-', '+']).unwrap_or(plain);
    let yaml_style = body
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !yaml_style {
        return None;
    }
    crate::domain::parse_float(plain).ok().map(Value::Float)
}

/// A sign after a prefix, which Go's parser lets through here.
fn prefixed(plain: &str) -> Option<Value> {
    let (negative, body) = match plain.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, plain),
    };
    let (radix, digits) = match body.get(..2)? {
        "0b" => (2, body.get(2..)?),
        "0o" => (8, body.get(2..)?),
        _ => return None,
    };
    let text = if negative {
        format!("-{digits}")
    } else {
        digits.to_owned()
    };
    i64::from_str_radix(&text, radix).ok().map(Value::Int)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_yaml_v3() {
        for (text, want) in [
            ("0o17", Value::Int(15)),
            ("010", Value::Int(8)),
            ("08", Value::Float(8.0)),
            ("0x1F", Value::Int(31)),
            ("0b11", Value::Int(3)),
            ("-0b11", Value::Int(-3)),
            ("1_000", Value::Int(1000)),
            ("+5", Value::Int(5)),
            ("9223372036854775807", Value::Int(i64::MAX)),
            ("18446744073709551615", Value::Uint(u64::MAX)),
            (
                "18446744073709551616",
                Value::Float(18_446_744_073_709_551_616.0),
            ),
            ("-9223372036854775808", Value::Int(i64::MIN)),
            ("1.10", Value::Float(1.1)),
            ("1e21", Value::Float(1e21)),
            ("1.", Value::Float(1.0)),
            (".5", Value::Float(0.5)),
            ("1.0.0", Value::text("1.0.0")),
            ("yes", Value::text("yes")),
            ("on", Value::text("on")),
            ("~", Value::Null),
            ("TRUE", Value::Bool(true)),
            ("tRue", Value::text("tRue")),
            (".inf", Value::Float(f64::INFINITY)),
            ("1e400", Value::text("1e400")),
            ("0x", Value::text("0x")),
            ("-", Value::text("-")),
            ("8.5p1", Value::text("8.5p1")),
            ("1e", Value::text("1e")),
            ("+.5", Value::Float(0.5)),
            ("0x1p4", Value::text("0x1p4")),
            (".", Value::text(".")),
            ("12:30", Value::text("12:30")),
            ("inf", Value::text("inf")),
            ("-1", Value::Int(-1)),
            ("._5", Value::text("._5")),
            (
                "+18446744073709551615",
                Value::Float(18_446_744_073_709_551_615.0),
            ),
            ("00", Value::Int(0)),
            ("0", Value::Int(0)),
        ] {
            assert_eq!(resolve(text), want, "{text}");
        }
        assert!(matches!(resolve("2024-01-02"), Value::Time(_)));
        assert!(matches!(resolve("2024-13-02"), Value::String(_)));
    }
}
