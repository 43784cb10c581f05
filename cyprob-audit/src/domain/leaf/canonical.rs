//! Canonical JSON (RFC 8785) of strings, whole numbers, objects: all that leaves are made of.

use serde_json::Value;

/// The largest whole number that every JSON reader takes exactly: 2^53 - 1.
pub(super) const MAX_SAFE: i64 = (1 << 53) - 1;

/// The canonical bytes; `None` for a value that no leaf holds (fractions, arrays, null, booleans, huge numbers).
pub(super) fn to_bytes(value: &Value) -> Option<Vec<u8>> {
    let mut out = String::new();
    write(value, &mut out)?;
    Some(out.into_bytes())
}

fn write(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::String(text) => write_text(text, out),
        Value::Number(number) => {
            let number = number.as_i64()?;
            if number.unsigned_abs() > MAX_SAFE.unsigned_abs() {
                return None;
            }
            out.push_str(&number.to_string());
            Some(())
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            // The order is that of UTF-16 units, not of bytes or code points.
            fields.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (at, (name, value)) in fields.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(name, out)?;
                out.push(':');
                write(value, out)?;
            }
            out.push('}');
            Some(())
        }
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

fn write_text(text: &str, out: &mut String) -> Option<()> {
    // serde_json escapes exactly what RFC 8785 section 3.2.2.2 wants escaped.
    out.push_str(&serde_json::to_string(text).ok()?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The strings and the order of RFC 8785 sections 3.2.2.2 and 3.2.3.
    #[test]
    fn text_and_order_are_rfc_8785s() {
        let value = serde_json::json!({
            "\u{20ac}": "Euro Sign",
            "\r": "Carriage Return",
            "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One",
            "\u{1f600}": "Emoji: Grinning Face",
            "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis",
            "s": "\u{20ac}$\u{f}\nA'B\"\\\\\"/",
        });
        let text = String::from_utf8(to_bytes(&value).unwrap()).unwrap();
        assert_eq!(
            text,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\
             \"s\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",\"\u{80}\":\"Control\",\
             \"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\
             \"\u{20ac}\":\"Euro Sign\",\"\u{1f600}\":\"Emoji: Grinning Face\",\
             \"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        );
    }

    #[test]
    fn what_no_leaf_holds_is_refused() {
        for value in [
            serde_json::json!(1.5),
            serde_json::json!(null),
            serde_json::json!([1]),
            serde_json::json!(true),
            serde_json::json!(MAX_SAFE + 1),
            serde_json::json!({"a": -MAX_SAFE - 1}),
        ] {
            assert_eq!(to_bytes(&value), None, "{value}");
        }
        assert_eq!(
            to_bytes(&serde_json::json!(-MAX_SAFE)).unwrap(),
            b"-9007199254740991"
        );
    }
}
