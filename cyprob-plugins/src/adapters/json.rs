//! A strict JSON reader (RFC 8259) that builds the same tree as the YAML one.
//!
//! Of its own, because every value needs a place, duplicate keys must be
//! refused and the limits must hold while it reads.

use cyprob_core::adapters::document::{Builder, Node, Typing};

use crate::domain::{Code, Diagnostic, Limits, Position};

use super::node::{key_kind, of_document};

/// Reads one JSON document and nothing after it.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Node, Diagnostic> {
    let mut reader = Reader::new(text, 0);
    let node = reader.document(limits)?;
    reader.space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.syntax("text after the end of the document")),
    }
}

/// Reads the first document of a text; answers how many bytes it took.
pub(crate) fn read_first(text: &str, limits: &Limits) -> Result<(Node, usize), Diagnostic> {
    let mut reader = Reader::new(text, 0);
    let node = reader.document(limits)?;
    Ok((node, reader.at))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    line_start: usize,
    /// Where columns were last counted, so that a long line costs once.
    counted: (usize, usize),
}

enum State {
    Value,
    /// After an opening bracket: a value or its end.
    FirstItem,
    /// After an opening brace: a key or its end.
    FirstKey,
    /// After a value: a comma or an end.
    Next,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, at: usize) -> Self {
        Self {
            text,
            at,
            line: 1,
            line_start: 0,
            counted: (0, 0),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn position(&mut self) -> Position {
        if self.counted.0 < self.line_start {
            self.counted = (self.line_start, 0);
        }
        let (from, column) = self.counted;
        let more = self
            .text
            .get(from..self.at)
            .map_or(0, |t| t.chars().count());
        self.counted = (self.at.max(from), column + more);
        Position {
            line: self.line,
            column: self.counted.1 + 1,
        }
    }

    fn syntax(&mut self, message: &str) -> Diagnostic {
        let at = self.position();
        Diagnostic::new(Code::Syntax, at, format!("JSON: {message}"))
    }

    fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.line_start = self.at + 1;
                }
                b' ' | b'\t' | b'\r' => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    fn document(&mut self, limits: &Limits) -> Result<Node, Diagnostic> {
        let mut builder = Builder::new(of_document(limits), key_kind);
        // True for a map, false for a list.
        let mut stack: Vec<bool> = Vec::new();
        let mut state = State::Value;
        loop {
            self.space();
            let at = self.position();
            let byte = self
                .peek()
                .ok_or_else(|| self.syntax("the document ends too early"))?;
            state = match (state, byte) {
                (State::FirstItem, b']') | (State::FirstKey, b'}') => {
                    self.at += 1;
                    stack.pop();
                    builder.close()?;
                    State::Next
                }
                (State::FirstKey, _) => {
                    self.key(&mut builder, at)?;
                    State::Value
                }
                (State::Value | State::FirstItem, b'{' | b'[') => {
                    self.at += 1;
                    builder.open(at, byte == b'{')?;
                    stack.push(byte == b'{');
                    if byte == b'{' {
                        State::FirstKey
                    } else {
                        State::FirstItem
                    }
                }
                (State::Value | State::FirstItem, _) => {
                    self.scalar(&mut builder, at, byte)?;
                    State::Next
                }
                (State::Next, b',') => {
                    self.at += 1;
                    if stack.last() == Some(&true) {
                        self.space();
                        let at = self.position();
                        self.key(&mut builder, at)?;
                    }
                    State::Value
                }
                (State::Next, b'}' | b']') if stack.last() == Some(&(byte == b'}')) => {
                    self.at += 1;
                    stack.pop();
                    builder.close()?;
                    State::Next
                }
                (State::Next, _) => {
                    return Err(self.syntax("a comma or the end of the list or map is missing"));
                }
            };
            if stack.is_empty() && matches!(state, State::Next) {
                return builder
                    .finish()
                    .ok_or_else(|| self.syntax("empty document"));
            }
        }
    }

    fn key(&mut self, builder: &mut Builder, at: Position) -> Result<(), Diagnostic> {
        if self.peek() != Some(b'"') {
            return Err(self.syntax("a key in double quotes is missing"));
        }
        let key = self.string()?;
        builder.scalar(at, &key, Typing::Text)?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.syntax("a colon is missing"));
        }
        self.at += 1;
        Ok(())
    }

    fn scalar(&mut self, builder: &mut Builder, at: Position, byte: u8) -> Result<(), Diagnostic> {
        if byte == b'"' {
            let text = self.string()?;
            return Ok(builder.scalar(at, &text, Typing::Text)?);
        }
        for word in ["true", "false", "null"] {
            if self
                .text
                .get(self.at..)
                .is_some_and(|t| t.starts_with(word))
            {
                self.at += word.len();
                return Ok(builder.scalar(at, word, Typing::Plain)?);
            }
        }
        let text = self.number()?;
        Ok(builder.scalar(at, text, Typing::JsonNumber)?)
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self) -> Result<&'a str, Diagnostic> {
        let from = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.peek() == Some(b'0');
        let whole = self.digits();
        let mut good = whole > 0 && !(zero && whole > 1);
        if good && self.peek() == Some(b'.') {
            self.at += 1;
            good = self.digits() > 0;
        }
        if good && matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            good = self.digits() > 0;
        }
        let text = self.text.get(from..self.at).unwrap_or_default();
        if !good || text.parse::<f64>().map_or(true, f64::is_infinite) {
            self.at = from;
            return Err(self.syntax(if good {
                "a number is out of range"
            } else {
                "a value is missing or malformed"
            }));
        }
        Ok(text)
    }

    fn string(&mut self) -> Result<String, Diagnostic> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let plain = rest
                .iter()
                .position(|b| *b == b'"' || *b == b'\\' || *b < 0x20);
            let Some(plain) = plain else {
                return Err(self.syntax("a text has no end"));
            };
            out.push_str(self.text.get(self.at..self.at + plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    let c = self
                        .escape()
                        .ok_or_else(|| self.syntax("an invalid escape in a text"))?;
                    out.push(c);
                }
                _ => return Err(self.syntax("a control character in a text")),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let mut at = self.at + 1;
        let bytes = self.text.as_bytes();
        let c = match bytes.get(at)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit(at + 1)?;
                at += 4;
                if (0xD800..0xDC00).contains(&unit) {
                    if bytes.get(at + 1..at + 3) != Some(b"\\u") {
                        return None;
                    }
                    let low = self.unit(at + 3)?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return None;
                    }
                    at += 6;
                    char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))?
                } else {
                    char::from_u32(unit)?
                }
            }
            _ => return None,
        };
        self.at = at + 1;
        Some(c)
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        if hex {
            u32::from_str_radix(digits, 16).ok()
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::node::Typed as _;
    use super::*;
    use crate::domain::Value;

    fn value(text: &str) -> Result<Value, Diagnostic> {
        read(text, &Limits::plugin())?.value()
    }

    #[test]
    fn reads_what_json_is() {
        assert_eq!(
            value(r#" "a\u00e9\ud83d\ude00\n\/" "#).unwrap(),
            Value::text("aé😀\n/")
        );
        assert_eq!(
            value("[1, -0.5, 1e3, 18446744073709551615, true, null, []]").unwrap(),
            Value::List(vec![
                Value::Int(1),
                Value::Float(-0.5),
                Value::Float(1000.0),
                Value::Uint(u64::MAX),
                Value::Bool(true),
                Value::Null,
                Value::List(vec![]),
            ])
        );
        assert_eq!(value("99999999999999999999").unwrap(), Value::Float(1e20));
    }

    #[test]
    fn refuses_what_json_is_not_with_its_place() {
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a: 1}",
            "01",
            "1.",
            ".5",
            "+1",
            "-",
            "1e",
            "1e999",
            "'a'",
            "\"a",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\u12\"",
            "tru",
            "[1 2]",
            "[1}",
            "{\"a\" 1}",
            "1 2",
            "NaN",
            "{\"a\":1 \"b\":2}",
            "\"\\u+123\"",
            "{1:2}",
            "]",
        ] {
            assert_eq!(value(bad).unwrap_err().code, Code::Syntax, "{bad}");
        }
        let error = value("{\n \"é\": 1,\n \"é\": 2}").unwrap_err();
        assert_eq!(
            (error.code, error.line, error.column),
            (Code::DuplicateKey, 3, 2)
        );
        assert_eq!(value(&"[".repeat(100_000)).unwrap_err().code, Code::TooDeep);
        assert_eq!(
            value(&format!("[{}1]", "1,".repeat(20_000)))
                .unwrap_err()
                .code,
            Code::TooManyNodes
        );
        assert_eq!(value("\"\\u0000\"").unwrap_err().code, Code::Nul);
    }
}
