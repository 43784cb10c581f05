//! Equality, order and texts of fixed mode.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{TimeValue, Value, goprint};

/// A number without loss: whole numbers stay whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// Any 64-bit whole number, signed or not.
    Whole(i128),
    /// A finite floating-point number.
    Float(f64),
}

impl Number {
    /// The number in a value or in a text; booleans, NaN and infinities are none.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(i) => Some(Self::Whole((*i).into())),
            Value::Uint(u) => Some(Self::Whole((*u).into())),
            Value::Float(f) => f.is_finite().then_some(Self::Float(*f)),
            Value::String(text) if text.len() <= 64 => {
                let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
                if !digits.is_empty()
                    && digits.len() <= 30
                    && digits.bytes().all(|b| b.is_ascii_digit())
                {
                    return text.parse().ok().map(Self::Whole);
                }
                let plain = text
                    .bytes()
                    .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
                let number: f64 = if plain {
                    text.parse().ok()?
                } else {
                    return None;
                };
                number.is_finite().then_some(Self::Float(number))
            }
            _ => None,
        }
    }

    pub(crate) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(&b),
            // Both are finite, so they have an order.
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Whole(a), Self::Float(b)) => order_mixed(a, b),
            (Self::Float(a), Self::Whole(b)) => order_mixed(b, a).reverse(),
        }
    }
}

/// Compares without rounding the whole number to a float.
fn order_mixed(whole: i128, float: f64) -> Ordering {
    const BEYOND: f64 = 1e38;
    if float >= BEYOND {
        return Ordering::Less;
    }
    if float <= -BEYOND {
        return Ordering::Greater;
    }
    let floor = float.floor();
    #[allow(clippy::cast_possible_truncation)] // within i128 by the checks above
    let order = whole.cmp(&(floor as i128));
    order.then(if float > floor {
        Ordering::Less
    } else {
        Ordering::Equal
    })
}

/// Something that has an order: a number or a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ordered {
    Number(Number),
    Instant(i64, u32),
}

impl Ordered {
    pub(crate) fn of(value: &Value) -> Option<Self> {
        if let Some(number) = Number::of(value) {
            return Some(Self::Number(number));
        }
        let time = match value {
            Value::Time(time) => time.instant(),
            Value::String(text) if text.len() <= 64 => TimeValue::parse_yaml(text)?.instant(),
            _ => return None,
        };
        Some(Self::Instant(time.0, time.1))
    }

    /// `None` when one is a number and the other a time.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.order(*b)),
            (Self::Instant(a, b), Self::Instant(c, d)) => Some((a, b).cmp(&(c, d))),
            _ => None,
        }
    }
}

/// Equality of fixed mode.
///
/// Two texts are equal as texts, two numbers as numbers, two times as
/// instants. A text equals a boolean, number or time that is written so. Null
/// equals only null. Lists and maps are equal item by item.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.entries().len() == b.entries().len()
                && a.entries()
                    .zip(b.entries())
                    .all(|(a, b)| a.0 == b.0 && equal(a.1, b.1))
        }
        (Value::List(_) | Value::Map(_), _) | (_, Value::List(_) | Value::Map(_)) => false,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Time(a), Value::Time(b)) => a.instant() == b.instant(),
        (Value::Time(time), Value::String(text)) | (Value::String(text), Value::Time(time)) => {
            time.as_written() == &**text
                || (text.len() <= 64
                    && TimeValue::parse_yaml(text).is_some_and(|t| t.instant() == time.instant()))
        }
        (Value::Bool(_), Value::String(_)) | (Value::String(_), Value::Bool(_)) => {
            text(a) == text(b)
        }
        _ => match (Number::of(a), Number::of(b)) {
            (Some(a), Some(b)) => a.order(b) == Ordering::Equal,
            // NaN and infinities have no number form; NaN equals nothing.
            _ => !is_nan(a) && !is_nan(b) && text(a) == text(b),
        },
    }
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(f) if f.is_nan())
}

/// The text of a scalar; null, lists and maps have none.
pub(crate) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null | Value::List(_) | Value::Map(_) => None,
        Value::Time(time) => Some(Cow::Borrowed(time.as_written())),
        scalar => Some(goprint::to_text(scalar)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_numbers_compare_without_rounding() {
        let order = |a: &Value, b: &Value| Number::of(a).unwrap().order(Number::of(b).unwrap());
        let big = i64::MAX;
        assert_eq!(
            order(&Value::Int(big), &Value::Float(9_223_372_036_854_775_808.0)),
            Ordering::Less
        );
        assert_eq!(
            order(
                &Value::Uint(1 << 63),
                &Value::Float(9_223_372_036_854_775_808.0)
            ),
            Ordering::Equal
        );
        assert_eq!(
            order(&Value::Uint(u64::MAX), &Value::Int(-1)),
            Ordering::Greater
        );
        assert_eq!(
            order(
                &Value::Int((1 << 53) + 1),
                &Value::Float(9_007_199_254_740_992.0)
            ),
            Ordering::Greater
        );
        assert_eq!(order(&Value::Int(-2), &Value::Float(-1.5)), Ordering::Less);
        assert_eq!(order(&Value::Int(0), &Value::Float(1e300)), Ordering::Less);
        assert_eq!(
            order(&Value::Float(-1e300), &Value::Int(i64::MIN)),
            Ordering::Less
        );
        assert_eq!(
            order(&Value::text("10"), &Value::text("9")),
            Ordering::Greater
        );
        for none in [
            Value::Float(f64::NAN),
            Value::Bool(true),
            Value::text("NaN"),
            Value::text("0x10"),
            Value::text(" 5"),
            Value::text(""),
            Value::text("1_000"),
            Value::text("9".repeat(100)),
        ] {
            assert_eq!(Number::of(&none), None, "{none:?}");
        }
    }

    #[test]
    fn equality_is_typed_but_reads_texts() {
        assert!(equal(&Value::Bool(true), &Value::text("true")));
        assert!(equal(&Value::Int(8), &Value::Float(8.0)));
        assert!(equal(&Value::text("8"), &Value::Int(8)));
        assert!(!equal(&Value::text("8.0"), &Value::text("8")));
        assert!(!equal(&Value::Null, &Value::text("")));
        assert!(!equal(&Value::Float(f64::NAN), &Value::Float(f64::NAN)));
        assert!(!equal(&Value::Int(1), &Value::Bool(true)));
        let day = Value::Time(Box::new(TimeValue::parse_yaml("2024-01-02").unwrap()));
        assert!(equal(&day, &Value::text("2024-01-02")) && equal(&Value::text("2024-1-2"), &day));
    }
}
