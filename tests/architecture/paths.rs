//! The paths that a file writes, made absolute.

/// All paths of at least two segments in a code text, `use` trees unfolded.
///
/// `crate`, `self` and `super` are resolved against the file's own module
/// (which is `module`), so every path begins with `crate` or another name. An
/// inline module inside the file is not counted, so `super` in it may be
/// resolved one level too high.
pub(crate) fn of(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_word(&tokens[at]) && tokens.get(at + 1).is_some_and(|t| t == "::") {
            at = tree(&tokens, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found
        .into_iter()
        .map(|path| absolute(path, module))
        .collect()
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(code: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in code.chars() {
        match tokens.last_mut() {
            Some(word) if is_part(c) && is_part(before) => word.push(c),
            Some(colon) if c == ':' && before == ':' && colon == ":" => colon.push(c),
            _ if c.is_whitespace() => {}
            _ => tokens.push(c.to_string()),
        }
        before = c;
    }
    tokens
}

/// Reads the path that begins at a word; gives the place behind it.
fn tree(
    tokens: &[String],
    mut at: usize,
    before: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(at) {
        if is_word(token) {
            path.push(token.clone());
            at += 1;
        } else if token == "{" {
            return group(tokens, at + 1, &path, found);
        } else {
            break;
        }
        if tokens.get(at).is_some_and(|t| t == "::") {
            at += 1;
        } else {
            break;
        }
    }
    found.push(path);
    if tokens.get(at).is_some_and(|t| t == "as") {
        at += 2; // `as name` and `as _` name nothing else.
    }
    at
}

fn group(
    tokens: &[String],
    mut at: usize,
    before: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    while let Some(token) = tokens.get(at) {
        if token == "}" {
            return at + 1;
        }
        at = if is_word(token) || token == "{" {
            tree(tokens, at, before, found)
        } else {
            at + 1
        };
    }
    at
}

fn absolute(path: Vec<String>, module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = path.as_slice();
    let mut relative = false;
    while let Some((first, behind)) = rest.split_first() {
        match first.as_str() {
            "super" => {
                base.pop();
            }
            "self" => {}
            _ => break,
        }
        relative = true;
        rest = behind;
    }
    if !relative {
        return path;
    }
    let mut whole = vec!["crate".to_owned()];
    whole.extend(base);
    whole.extend_from_slice(rest);
    whole
}

/// The module of a file below a crate's `src/`: `a/b.rs` is `[a, b]`.
pub(crate) fn module_of(below_src: &str) -> Vec<String> {
    let mut parts: Vec<String> = below_src
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if matches!(
        parts.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        parts.pop();
    }
    parts
}

#[test]
fn paths_are_found_in_use_trees_and_in_expressions() {
    let module = module_of("service/deep/x.rs");
    assert_eq!(module, ["service", "deep", "x"]);
    assert_eq!(module_of("domain/mod.rs"), ["domain"]);
    assert!(module_of("lib.rs").is_empty());
    let found = |code: &str| -> Vec<String> {
        of(code, &module)
            .iter()
            .map(|path| path.join("::"))
            .collect()
    };
    assert_eq!(
        found("use crate::{domain::{A, b::C}, ports as p, adapters::*};"),
        [
            "crate::domain::A",
            "crate::domain::b::C",
            "crate::ports",
            "crate::adapters"
        ]
    );
    assert_eq!(
        found("let x = crate::adapters::f(y);"),
        ["crate::adapters::f"]
    );
    assert_eq!(
        found("use super::super::super::adapters::X;"),
        ["crate::adapters::X"]
    );
    assert_eq!(
        found("pub(super) use self::a::B;"),
        ["crate::service::deep::x::a::B"]
    );
    assert_eq!(found("Vec::<u8>::new()"), ["Vec"]);
    assert_eq!(found("fn f(a: crate::ports::P) {}"), ["crate::ports::P"]);
    assert_eq!(found("use crate :: adapters :: X;"), ["crate::adapters::X"]);
    assert_eq!(found("x: u8, y: z"), Vec::<String>::new());
}
