//! How Cyprob's engine turns values into texts and numbers.
//!
//! Facts about Go: `strconv.FormatFloat(f, 'f', -1, 64)` for a number on its
//! own, `fmt`'s `%v` for what lies inside lists and maps, `strconv.ParseFloat`
//! for texts. Derived from Go's documentation and from running it.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::Value;

/// The text Cyprob compares: null is empty, numbers are plain decimals.
pub(crate) fn to_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Float(number) => Cow::Owned(plain_float(*number)),
        other => {
            let mut out = String::new();
            print_into(other, &mut out);
            Cow::Owned(out)
        }
    }
}

/// A number as Cyprob sees it, or why it is none.
pub(crate) fn to_number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        #[allow(clippy::cast_precision_loss)] // Go's float64(int) loses the same bits
        Value::Int(number) => Ok(*number as f64),
        Value::String(text) => parse_float(text),
        other => Err(format!("{} is no number", other.type_name())),
    }
}

/// `%v` of a value inside a list or a map.
fn print_into(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::Uint(u) => {
            let _ = write!(out, "{u}");
        }
        Value::Float(f) => out.push_str(&general_float(*f)),
        Value::String(text) => out.push_str(text),
        Value::Time(time) => out.push_str(&time.go_string()),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                print_into(item, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("map[");
            for (i, (key, item)) in map.entries().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                print_into(&key.to_value(), out);
                out.push(':');
                print_into(item, out);
            }
            out.push(']');
        }
    }
}

/// The shortest plain decimal that reads back the same.
fn plain_float(number: f64) -> String {
    not_finite(number).map_or_else(|| format!("{number}"), ToOwned::to_owned)
}

/// Go's `%v`: plain for exponents -4 to 5, else with an exponent of at least
/// two digits.
fn general_float(number: f64) -> String {
    if let Some(text) = not_finite(number) {
        return text.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..GENERAL_LIMIT).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// `%v` switches to an exponent from ten to this power on.
const GENERAL_LIMIT: i32 = 6;

fn not_finite(number: f64) -> Option<&'static str> {
    if number.is_nan() {
        Some("NaN")
    } else if number.is_infinite() {
        Some(if number > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        None
    }
}

/// `strconv.ParseFloat`: decimal and hexadecimal, underscores between digits,
/// `inf`, `infinity` and `nan` in any case; out of range is an error.
pub(crate) fn parse_float(text: &str) -> Result<f64, String> {
    const NONE: &str = "the text is no number";
    let (sign, body) = match text.as_bytes().first() {
        Some(b'+') => (1.0, text.get(1..)),
        Some(b'-') => (-1.0, text.get(1..)),
        _ => (1.0, Some(text)),
    };
    let body = body.ok_or(NONE)?;
    if body.eq_ignore_ascii_case("inf") || body.eq_ignore_ascii_case("infinity") {
        return Ok(sign * f64::INFINITY);
    }
    if text.eq_ignore_ascii_case("nan") {
        return Ok(f64::NAN);
    }
    if body.contains('_') && !underscores_fit(body) {
        return Err(NONE.to_owned());
    }
    let plain: Cow<'_, str> = if body.contains('_') {
        body.replace('_', "").into()
    } else {
        body.into()
    };
    let magnitude = match plain
        .strip_prefix("0x")
        .or_else(|| plain.strip_prefix("0X"))
    {
        Some(hex) => parse_hex(hex).ok_or(NONE)?,
        None => {
            if !is_decimal(&plain) {
                return Err(NONE.to_owned());
            }
            plain.parse::<f64>().map_err(|_| NONE)?
        }
    };
    if magnitude.is_infinite() {
        return Err("the number is out of range".to_owned());
    }
    Ok(sign * magnitude)
}

/// Underscores stand only between digits or after a base prefix.
fn underscores_fit(body: &str) -> bool {
    let bytes = body.as_bytes();
    let (mut last, rest, hex) = match bytes {
        [b'0', base, rest @ ..] if matches!(base.to_ascii_lowercase(), b'b' | b'o' | b'x') => {
            (b'0', rest, base.eq_ignore_ascii_case(&b'x'))
        }
        _ => (b'^', bytes, false),
    };
    for byte in rest {
        if byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit()) {
            last = b'0';
        } else if *byte == b'_' {
            if last != b'0' {
                return false;
            }
            last = b'_';
        } else {
            if last == b'_' {
                return false;
            }
            last = b'!';
        }
    }
    last != b'_'
}

/// Digits with at most one point, and an optional exponent.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at).unwrap_or(""), text.get(at + 1..)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    digits(whole) && digits(fraction) && whole.len() + fraction.len() > 0 && exponent_ok
}

/// The part of a hexadecimal number after `0x`; it must have a `p` exponent.
fn parse_hex(text: &str) -> Option<f64> {
    let at = text.find(['p', 'P'])?;
    let (mantissa, exponent) = (text.get(..at)?, text.get(at + 1..)?);
    let (negative, digits) = match exponent.as_bytes().first()? {
        b'-' => (true, exponent.get(1..)?),
        b'+' => (false, exponent.get(1..)?),
        _ => (false, exponent),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut exponent: i64 = digits.parse().unwrap_or(100_000).min(100_000);
    if negative {
        exponent = -exponent;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.len() + fraction.len() == 0 {
        return None;
    }
    let mut bits: u64 = 0;
    for (i, byte) in whole.bytes().chain(fraction.bytes()).enumerate() {
        let digit = u64::from(char::from(byte).to_digit(16)?);
        if bits >> 60 == 0 {
            bits = bits << 4 | digit;
            if i >= whole.len() {
                exponent -= 4;
            }
        } else {
            // Digits past 64 bits only matter for rounding: keep them sticky.
            bits |= u64::from(digit != 0);
            if i < whole.len() {
                exponent += 4;
            }
        }
    }
    #[allow(clippy::cast_precision_loss)] // rounds to nearest, as it should
    let mut value = bits as f64;
    // In steps, so that no intermediate power of two overflows.
    while exponent != 0 && value != 0.0 && value.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        value *= 2_f64.powi(i32::try_from(step).ok()?);
        exponent -= step;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::super::{MapKey, TimeValue, ValueMap};
    use super::*;

    #[test]
    fn numbers_read_as_go_reads_them() {
        for (text, want) in [
            ("1_000", Some(1000.0)),
            ("0x1p4", Some(16.0)),
            ("0x10", None),
            ("0x1_0p1", Some(32.0)),
            ("0x_1p1", Some(2.0)),
            ("inf", Some(f64::INFINITY)),
            ("+Inf", Some(f64::INFINITY)),
            ("-infinity", Some(f64::NEG_INFINITY)),
            ("+nan", None),
            ("1e400", None),
            ("1e-400", Some(0.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1E+5", Some(1e5)),
            ("0x.8p0", Some(0.5)),
            (".", None),
            (" 5", None),
            ("1_0.5_0", Some(10.5)),
            ("0b1", None),
            ("-0", Some(0.0)),
            ("1e", None),
            ("infi", None),
            ("0x1.8P-1", Some(0.75)),
            ("1e400000000000000000000", None),
            ("", None),
            ("_1", None),
            ("1_", None),
            ("1__0", None),
            ("+", None),
            ("1e5e5", None),
            ("1.2.3", None),
            ("٣", None),
            ("0x1p99999", None),
            ("1_e5", None),
        ] {
            assert_eq!(parse_float(text).ok(), want, "{text}");
        }
        assert!(parse_float("NaN").is_ok_and(f64::is_nan));
        assert!(to_number(&Value::Uint(u64::MAX)).is_err());
        assert!(to_number(&Value::Bool(true)).is_err());
    }

    #[test]
    fn texts_look_as_go_prints_them() {
        let list = |items: &[f64]| Value::List(items.iter().map(|f| Value::Float(*f)).collect());
        for (value, want) in [
            (Value::Null, ""),
            (Value::Float(1e21), "1000000000000000000000"),
            (Value::Float(8.0), "8"),
            (Value::Float(1e-5), "0.00001"),
            (Value::Float(f64::INFINITY), "+Inf"),
            (Value::Uint(u64::MAX), "18446744073709551615"),
            (
                list(&[1e21, 1.5, 1e-5, 0.0001, 1e100, -0.0]),
                "[1e+21 1.5 1e-05 0.0001 1e+100 -0]",
            ),
            (
                list(&[999_999.0, 1e6, 1_234_567.0]),
                "[999999 1e+06 1.234567e+06]",
            ),
            (
                Value::List(vec![Value::Null, Value::text("a b"), Value::Bool(true)]),
                "[<nil> a b true]",
            ),
            (Value::List(vec![]), "[]"),
            (
                Value::Map(ValueMap::new(vec![
                    (MapKey::Text("b".into()), Value::texts(["x", "y"])),
                    (MapKey::Text("a".into()), Value::Int(1)),
                ])),
                "map[a:1 b:[x y]]",
            ),
            (
                Value::Map(ValueMap::new(vec![
                    (MapKey::Whole(10), Value::Null),
                    (MapKey::Whole(9), Value::Null),
                ])),
                "map[9:<nil> 10:<nil>]",
            ),
            (
                Value::List(vec![Value::Time(Box::new(
                    TimeValue::parse_yaml("2024-01-02").unwrap(),
                ))]),
                "[2024-01-02 00:00:00 +0000 UTC]",
            ),
        ] {
            assert_eq!(to_text(&value), want);
        }
    }
}
