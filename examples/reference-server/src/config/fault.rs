//! What is said of a text that is no configuration: where and why, never what stands there.

/// Of values that were quoted by the parser only the kind is left.
const QUOTING: [&str; 4] = [
    "invalid type: ",
    "invalid value: ",
    "invalid length ",
    "unknown variant ",
];
/// The longest word that is taken for a key; what is longer may be a secret in the wrong place.
const LONGEST_KEY: usize = 40;

/// The place of a fault, its key, and what is wrong there.
pub(super) fn told(text: &str, error: &toml::de::Error) -> String {
    let why = unquoted(error.message());
    let start = error.span().map(|span| span.start);
    let Some(before) = start.and_then(|start| text.get(..start)) else {
        return why;
    };
    let (begun, line) = match before.rsplit_once('\n') {
        Some((lines, line)) => (lines.split('\n').count(), line),
        None => (0, before),
    };
    let column = line.chars().count() + 1;
    let rest = text.get(before.len() - line.len()..).unwrap_or_default();
    let key = rest.split(['\n', '=']).next().map_or("", str::trim);
    let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    let at = match rest.lines().next().is_some_and(|line| line.contains('='))
        && key.len() <= LONGEST_KEY
        && !key.is_empty()
        && key.chars().all(is_key)
    {
        true => format!(", at `{key}`"),
        false => String::new(),
    };
    format!("line {}, column {column}{at}: {why}", begun + 1)
}

fn unquoted(message: &str) -> String {
    for kind in QUOTING {
        if let Some((found, expected)) = message
            .strip_prefix(kind)
            .and_then(|rest| rest.rsplit_once(", expected "))
        {
            let found = found.split(['"', '`']).next().unwrap_or_default();
            return format!(
                "{}, expected {expected}",
                format!("{kind}{found}").trim_end()
            );
        }
    }
    message.to_owned()
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
                format!("listen = \"{SECRET}\""),
                "line 1, column 10, at `listen`: ",
                "",
            ),
        ] {
            let error = toml::from_str::<Config>(&text).unwrap_err();
            let told = told(&text, &error);
            assert!(told.starts_with(place), "{told}");
            assert!(told.contains(why), "{told}");
            assert!(!told.contains(SECRET), "{told}");
        }
    }
}
