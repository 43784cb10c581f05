//! Rust text without comments, literals and test-only items.

/// The text with every comment, string and character literal blanked; lines stay.
pub(crate) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skip(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            let blank = |c: &char| if *c == '\n' { '\n' } else { ' ' };
            out.extend(chars[at..end].iter().map(blank));
            at = end;
        }
    }
    out
}

/// The end of the comment or literal that begins here, or `at` if none does.
fn skip(chars: &[char], at: usize) -> usize {
    let next = |n: usize| chars.get(at + n).copied().unwrap_or('\0');
    match chars[at] {
        '/' if next(1) == '/' => find(chars, at, |i| chars[i] == '\n').unwrap_or(chars.len()),
        '/' if next(1) == '*' => block_comment(chars, at),
        '"' => quoted(chars, at + 1),
        'r' | 'b' | 'c' if !in_word(chars, at) => prefixed(chars, at),
        '\'' => character(chars, at),
        _ => at,
    }
}

fn find(chars: &[char], from: usize, is: impl Fn(usize) -> bool) -> Option<usize> {
    (from..chars.len()).find(|&i| is(i))
}

fn in_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_')
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut i = at;
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                i += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    i
}

/// The end of a string whose first character stands at `i`.
fn quoted(chars: &[char], mut i: usize) -> usize {
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// A literal with a prefix: `b"`, `c"`, `r"`, `r#"`, `br#"`, `b'`.
fn prefixed(chars: &[char], at: usize) -> usize {
    let mut i = at;
    let mut raw = false;
    while let Some('b' | 'c' | 'r') = chars.get(i) {
        raw |= chars[i] == 'r';
        i += 1;
        if i - at > 2 {
            return at;
        }
    }
    if !raw {
        return match chars.get(i) {
            Some('"') => quoted(chars, i + 1),
            Some('\'') => character(chars, i),
            _ => at,
        };
    }
    let hashes = chars[i..].iter().take_while(|c| **c == '#').count();
    if chars.get(i + hashes) != Some(&'"') {
        return at; // A word that begins so, or a raw identifier.
    }
    let closes = |i: usize| {
        chars[i] == '"'
            && chars[i + 1..]
                .iter()
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes
    };
    find(chars, i + hashes + 1, closes).map_or(chars.len(), |i| i + 1 + hashes)
}

/// A character literal, told from a lifetime by its closing quote.
fn character(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => find(chars, at + 3, |i| chars[i] == '\'').map_or(chars.len(), |i| i + 1),
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

/// [`code`] without the items under `#[cfg(test)]`, `#[cfg(any(test, ...))]` or `#[cfg(all(test, ...))]`.
pub(crate) fn shipped(text: &str) -> String {
    let mut code: Vec<char> = code(text).chars().collect();
    let mut at = 0;
    while at < code.len() {
        match test_item(&code, at) {
            Some(end) => {
                code[at..end]
                    .iter_mut()
                    .filter(|c| **c != '\n')
                    .for_each(|c| *c = ' ');
                at = end;
            }
            None => at += 1,
        }
    }
    code.into_iter().collect()
}

/// The end of the test-only item whose attribute begins here.
fn test_item(code: &[char], at: usize) -> Option<usize> {
    if code[at] != '#' {
        return None;
    }
    let close = find(code, at, |i| code[i] == ']')?;
    let attribute: String = code[at..close]
        .iter()
        .filter(|c| !c.is_whitespace())
        .collect();
    let tests = ["#[cfg(any(test,", "#[cfg(all(test,"];
    if attribute != "#[cfg(test)" && !tests.iter().any(|begun| attribute.starts_with(begun)) {
        return None;
    }
    let mut depth = 0;
    for (i, c) in code.iter().enumerate().skip(close + 1) {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth -= 1;
                if depth == 0 && *c == '}' {
                    return Some(i + 1);
                }
            }
            ';' if depth == 0 => return Some(i + 1),
            _ => {}
        }
    }
    Some(code.len())
}

#[test]
fn comments_and_literals_are_blanked_and_nothing_else() {
    for (text, expected) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"a "b \" c" d"#, "a          d"),
        (r##"a r#"b " c"# d"##, "a            d"),
        (r#"a b"b" br"c" c"d" e"#, "a                 e"),
        ("a 'b' '\\'' b'c' d", "a               d"),
        ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
        ("r#type bar crab br", "r#type bar crab br"),
        ("a \"// no\" b", "a         b"),
        ("a '\"' b \"c\" d", "a     b     d"),
    ] {
        assert_eq!(code(text), expected, "{text}");
    }
}

#[test]
fn test_items_are_blanked_and_the_code_behind_them_is_not() {
    let text = "use a;\n#[cfg(test)]\nmod tests { use b; fn f() { } }\nuse c;";
    let left = shipped(text);
    assert!(left.contains("use a") && left.contains("use c") && !left.contains("use b"));
    assert_eq!(left.lines().count(), 4);
    let text = "#[cfg(any(test, feature = \"testkit\"))]\npub mod testkit;\nuse c;";
    assert!(!shipped(text).contains("testkit") && shipped(text).contains("use c"));
    assert!(shipped("#[cfg(feature = \"x\")]\nuse c;").contains("use c"));
    assert!(shipped("#[cfg(not(test))]\nuse c;").contains("use c"));
    assert!(!shipped("#[cfg(test)] use crate::{b, d}; use c;").contains('b'));
}
