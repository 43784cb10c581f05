//! What is said of a text that is no configuration: where and why, never what stands there.

/// What the parser quotes is left out of these; of a value its kind remains.
const QUOTING: [&str; 5] = [
    "invalid type: ",
    "invalid value: ",
    "invalid length ",
    "unknown variant ",
    "unknown field ",
];

/// The place of a fault, its key, and what is wrong there.
pub(super) fn told(text: &str, error: &toml::de::Error) -> String {
    let why = unquoted(error.message());
    let start = error.span().map(|span| span.start);
    let Some(before) = start.and_then(|start| text.get(..start)) else {
        return why;
    };
    let (_, line) = before.rsplit_once('\n').unwrap_or(("", before));
    let number = before.matches('\n').count() + 1;
    let column = line.chars().count() + 1;
    let rest = text.get(before.len() - line.len()..).unwrap_or_default();
    let at = key(text, rest).map_or(String::new(), |key| format!(", at `{key}`"));
    format!("line {number}, column {column}{at}: {why}")
}

/// The key that a line begins with; in what is no TOML it may be the middle of a value.
fn key<'t>(text: &str, line: &'t str) -> Option<&'t str> {
    let (key, _) = line.lines().next()?.split_once('=')?;
    let key = key.trim();
    (is_key(key) && text.parse::<toml::Table>().is_ok()).then_some(key)
}

/// Whether a word looks like a key of ours, and not like a secret in the wrong place.
fn is_key(word: &str) -> bool {
    let is_of_key = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
    (1..=40).contains(&word.len()) && word.chars().all(is_of_key)
}

fn unquoted(message: &str) -> String {
    let quoting = QUOTING.iter().find_map(|kind| {
        let rest = message.strip_prefix(kind)?;
        Some((kind, rest.rsplit_once(", expected ")?))
    });
    let Some((kind, (found, expected))) = quoting else {
        return message.to_owned();
    };
    let shown = match found
        .strip_prefix('`')
        .and_then(|word| word.strip_suffix('`'))
    {
        Some(word) if kind.ends_with("field ") && is_key(word) => found,
        _ => found.split(['"', '`']).next().unwrap_or_default(),
    };
    let what = format!("{kind}{shown}");
    format!("{}, expected {expected}", what.trim_end())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn a_fault_has_its_place_and_key_and_shows_no_value() {
        const SECRET: &str = "wJalrXUtnFEMI/K7MDENG";
        for (text, place, why) in [
            (
                format!("data = \"a\"\nlistne = \"{SECRET}\""),
                "line 2, column 1, at `listne`: ",
                "unknown field `listne`",
            ),
            (
                format!("access_ttl_seconds = \"{SECRET}\""),
                "line 1, column 22, at `access_ttl_seconds`: ",
                "invalid type: string, expected u64",
            ),
            (
                format!("revocation_check = \"{SECRET}\""),
                "line 1, column 20, at `revocation_check`: ",
                "unknown variant, expected `feed` or `strict`",
            ),
            (format!("data = \"{SECRET}\" x"), "line 1, column ", ""),
            (format!("data = \"{SECRET}"), "line 1, column ", ""),
            (SECRET.to_owned(), "line 1, column ", ""),
            (
                format!("[postgres]\nurl = \"postgres://a:{SECRET}@b/c\"\nport = 1\n"),
                "line 3, column 1, at `port`: ",
                "unknown field `port`",
            ),
            (
                format!("[postgres]\nurl = [\"{SECRET}\"]\n"),
                "line 2, column 7, at `url`: ",
                "invalid type: sequence, expected",
            ),
            (
                format!("\"{SECRET}\" = \"\""),
                "line 1, column 1: ",
                "unknown field, expected",
            ),
            (
                "[postgres]\nwJalrXUtnFEMIK7MDENG = 1".to_owned(),
                "line 2, column 1: ",
                "unknown field, expected",
            ),
            (
                "data = \"\"\"\nhunter=\\q\"\"\"".to_owned(),
                "line 2, column ",
                "",
            ),
            (
                format!("listen = \"{SECRET}\""),
                "line 1, column 10, at `listen`: ",
                "",
            ),
        ] {
            let error = toml::from_str::<Config>(&text).unwrap_err();
            let told = told(&text, &error);
            assert!(told.starts_with(place), "{told}");
            assert!(told.contains(why), "{told}");
            for secret in [SECRET, "wJalr", "hunter"] {
                assert!(!told.contains(secret), "{told}");
            }
        }
    }
}
