//! One field of a JSON object, without a copy of the others.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

/// What stands in a field.
pub(crate) enum Field {
    /// A string.
    Text(Zeroizing<String>),
    /// Another kind of value.
    NoText,
    /// Two fields of that name.
    Repeated,
    /// Nothing: there is no such field.
    Absent,
}

/// The text is no JSON object.
#[derive(Debug)]
pub(crate) struct NoObject;

/// Finds a field of an object.
pub(crate) fn pick(json: &str, field: &str) -> Result<Field, NoObject> {
    let mut reader = serde_json::Deserializer::from_str(json);
    // An error of the reader may quote the text: it is dropped.
    let picked = reader.deserialize_map(Pick(field)).map_err(|_| NoObject)?;
    reader.end().map_err(|_| NoObject)?;
    Ok(picked)
}

struct Pick<'f>(&'f str);

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field, A::Error> {
        let mut found = Field::Absent;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if name != self.0 {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let Value(value) = map.next_value()?;
            found = match found {
                Field::Absent => value,
                _ => Field::Repeated,
            };
        }
        Ok(found)
    }
}

/// A value: its text if it is one.
struct Value(Field);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Field, E> {
        Ok(Field::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Field, E> {
        Ok(Field::NoText)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Field, E> {
        Ok(Field::NoText)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Field, E> {
        Ok(Field::NoText)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Field, E> {
        Ok(Field::NoText)
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field::NoText)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::NoText)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::NoText)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str) -> String {
        match pick(json, "a") {
            Ok(Field::Text(text)) => format!("text {}", *text),
            Ok(Field::NoText) => "no text".to_owned(),
            Ok(Field::Repeated) => "repeated".to_owned(),
            Ok(Field::Absent) => "absent".to_owned(),
            Err(NoObject) => "no object".to_owned(),
        }
    }

    #[test]
    fn a_field_is_its_text_and_nothing_else_is() {
        for (json, what) in [
            (r#"{"a":"x"}"#, "text x"),
            (r#"{"b":[1,{"a":"y"}],"a":"\u0078\n"}"#, "text x\n"),
            (r#"{"\u0061":"x"}"#, "text x"),
            (r#"{"a":""}"#, "text "),
            (r#"{"a":1}"#, "no text"),
            (r#"{"a":-1.5}"#, "no text"),
            (r#"{"a":null}"#, "no text"),
            (r#"{"a":true}"#, "no text"),
            (r#"{"a":["x"]}"#, "no text"),
            (r#"{"a":{"a":"x"}}"#, "no text"),
            (r#"{"a":"x","a":"x"}"#, "repeated"),
            (r#"{"A":"x"}"#, "absent"),
            ("{}", "absent"),
            (r#"["a"]"#, "no object"),
            (r#"{"a":"x"} {}"#, "no object"),
            (r#"{"a":"x""#, "no object"),
            ("", "no object"),
        ] {
            assert_eq!(said(json), what, "{json}");
        }
    }
}
