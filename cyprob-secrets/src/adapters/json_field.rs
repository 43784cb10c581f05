//! One key of a JSON object, read strictly.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::ports::Refusal;

/// What a key of an object holds.
#[derive(Debug)]
pub(crate) enum Held {
    Text(Zeroizing<String>),
    /// There is no such key.
    Nothing,
    Unfit(Refusal),
}

/// Looks a key up; an object that names any key twice is refused as a whole.
pub(crate) fn held(text: &str, key: &str) -> Held {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_map(Object { key });
    match (read, reader.end()) {
        (Ok(held), Ok(())) => held,
        // The errors may repeat what stands there.
        _ => Held::Unfit(Refusal::NotAnObject),
    }
}

struct Object<'k> {
    key: &'k str,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Held;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Held, A::Error> {
        let mut seen = HashSet::new();
        let mut held = Held::Nothing;
        let mut repeated = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == self.key {
                held = map.next_value::<Text>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            repeated |= !seen.insert(name);
        }
        Ok(match repeated {
            true => Held::Unfit(Refusal::RepeatedKey),
            false => held,
        })
    }
}

/// A string, or the remark that it is none.
struct Text(Held);

const NO_TEXT: Text = Text(Held::Unfit(Refusal::NotText));

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Held::Text(Zeroizing::new(text.to_owned()))))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Ok(NO_TEXT)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
        Ok(NO_TEXT)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
        Ok(NO_TEXT)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
        Ok(NO_TEXT)
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(NO_TEXT)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(NO_TEXT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(NO_TEXT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_read_as_it_is_meant() {
        for (text, value) in [
            (r#"{"a":"x"}"#, "x"),
            (r#" { "b" : 1, "a" : "\u0078\n" } "#, "x\n"),
            (r#"{"b":{"a":"y"},"a":"x","c":["z"]}"#, "x"),
            (r#"{"a":""}"#, ""),
            (r#"{"\u0061":"x"}"#, "x"),
        ] {
            let Held::Text(read) = held(text, "a") else {
                panic!("{text}");
            };
            assert_eq!(*read, value, "{text}");
        }
        assert!(matches!(held(r#"{"b":{"a":"x"}}"#, "a"), Held::Nothing));
        assert!(matches!(held("{}", "a"), Held::Nothing));
    }

    #[test]
    fn what_is_no_string_of_one_object_is_refused() {
        for value in [
            "1",
            "-1",
            "1.5",
            "1e999",
            "true",
            "null",
            "[\"x\"]",
            "{\"a\":\"x\"}",
        ] {
            let text = format!("{{\"a\":{value}}}");
            let refusal = match held(&text, "a") {
                Held::Unfit(refusal) => refusal,
                other => panic!("{text}: {other:?}"),
            };
            // A number that no reader can hold is no JSON to us.
            let expected = match value {
                "1e999" => Refusal::NotAnObject,
                _ => Refusal::NotText,
            };
            assert_eq!(refusal, expected, "{text}");
        }
        for text in [
            "",
            "x",
            "\"x\"",
            "[]",
            "1",
            "{",
            "{\"a\":\"x\"",
            "{\"a\":\"x\"}}",
            "{\"a\":\"x\"} {}",
            "{a:1}",
            "{\"a\":\"x\",}",
            "null",
            "\u{feff}{\"a\":\"x\"}",
        ] {
            let refused = matches!(held(text, "a"), Held::Unfit(Refusal::NotAnObject));
            assert!(refused, "{text}");
        }
        for text in [
            r#"{"a":"x","a":"y"}"#,
            r#"{"a":"x","a":"x"}"#,
            r#"{"a":"x","\u0061":"y"}"#,
            r#"{"b":1,"b":2,"a":"x"}"#,
        ] {
            let refused = matches!(held(text, "a"), Held::Unfit(Refusal::RepeatedKey));
            assert!(refused, "{text}");
        }
    }
}
