//! Places in texts, and what is shown of them.

use std::fmt;

use serde::Serialize;

/// A place in a text; lines and columns count from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// Line, from one.
    pub line: usize,
    /// Column in characters, from one.
    pub column: usize,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place of the byte at `offset`, counting `\n` as the line break.
    #[must_use]
    pub fn of_offset(bytes: &[u8], offset: usize) -> Self {
        let before = bytes.get(..offset.min(bytes.len())).unwrap_or_default();
        let line_start = before
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |i| i + 1);
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let tail = before.get(line_start..).unwrap_or_default();
        // Bytes that continue a character do not count.
        let column = tail.iter().filter(|b| (**b & 0xC0) != 0x80).count() + 1;
        Self { line, column }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A piece of a text for a message: shortened to 60 characters, control characters
/// and invisible ones escaped, in back quotes.
#[must_use]
pub fn excerpt(text: &str) -> String {
    const CHARS: usize = 60;
    let mut out = String::from("`");
    for c in text.chars().take(CHARS) {
        if c == '\'' || c == '"' {
            out.push(c);
        } else {
            out.extend(c.escape_debug());
        }
    }
    out.push('`');
    if text.chars().nth(CHARS).is_some() {
        out.push_str("...");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_lines() {
        let text = "aé\nbü x".as_bytes();
        assert_eq!(Position::of_offset(text, 0), Position::START);
        assert_eq!(Position::of_offset(text, 3).to_string(), "1:3");
        assert_eq!(Position::of_offset(text, 4).to_string(), "2:1");
        assert_eq!(Position::of_offset(text, 7).to_string(), "2:3");
        assert_eq!(Position::of_offset(text, 99).line, 2);
    }

    #[test]
    fn an_excerpt_cannot_drive_a_terminal() {
        let shown = excerpt("\u{1b}[31mred\u{202e}\n");
        assert!(!shown.contains('\u{1b}') && !shown.contains('\n') && !shown.contains('\u{202e}'));
        assert!(excerpt(&"x".repeat(100)).len() < 70);
    }
}
