//! The values of the account policy, from their sources into the manual.

const HEAD: &str = "| value | what | default | from | to |\n| --- | --- | --- | --- | --- |\n";

/// One value with its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: String,
    about: String,
    default: u64,
    from: u64,
    to: u64,
}

/// The values that a source declares with `getter / setter: kind = default, within from, to, "name";`.
pub(crate) fn of(source: &str) -> Vec<Setting> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter_map(|pair| {
            let about = pair[0].strip_prefix("/// ")?;
            let (head, rest) = pair[1].split_once(" = ")?;
            head.contains(" / with_").then_some(())?;
            let (default, rest) = rest.split_once(", within ")?;
            let (bounds, name) = rest.strip_suffix("\";")?.rsplit_once(", \"")?;
            let (from, to) = bounds.split_once(", ")?;
            // What follows the colon says the numbers again.
            let about = about.split(": ").next()?;
            Some(Setting {
                name: name.to_owned(),
                about: about.to_owned(),
                default: number(default)?,
                from: number(from)?,
                to: number(to)?,
            })
        })
        .collect()
}

/// A number, or a time in seconds: `1_000`, `minutes(5)`.
fn number(text: &str) -> Option<u64> {
    let Some((unit, count)) = text.strip_suffix(')').and_then(|call| call.split_once('(')) else {
        return text.replace('_', "").parse().ok();
    };
    let seconds = match unit {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => 3_600,
        "days" => 86_400,
        _ => return None,
    };
    Some(number(count)? * seconds)
}

/// The page with these rows in its table of values.
pub(crate) fn into_page(page: &str, settings: &[Setting]) -> String {
    let (before, rest) = page
        .split_once(HEAD)
        .expect("the page has a table of values");
    let after = rest.lines().skip_while(|line| line.starts_with('|'));
    let after: String = after.map(|line| format!("{line}\n")).collect();
    let rows = settings.iter().map(|setting| {
        let Setting {
            name,
            about,
            default,
            from,
            to,
        } = setting;
        format!("| `{name}` | {about} | {default} | {from} | {to} |\n")
    });
    format!("{before}{HEAD}{}{after}", rows.collect::<String>())
}

#[test]
fn values_are_read_with_their_bounds() {
    let source = "        /// How long it lives: 1 hour to 2 days, 1 day by default.\n        \
                  ttl / with_ttl: Duration = days(1), within hours(1), days(2), \"ttl_seconds\";\n        \
                  /// How many.\n        \
                  many / with_many: u32 = 1_000, within 5, 2_000, \"many\";\n";
    let found = of(source);
    let first = Setting {
        name: "ttl_seconds".to_owned(),
        about: "How long it lives".to_owned(),
        default: 86_400,
        from: 3_600,
        to: 172_800,
    };
    assert_eq!(found[0], first);
    assert_eq!((found.len(), found[1].default), (2, 1_000));
    let page = into_page(&format!("# P\n\n{HEAD}| old |\n\n## Next\n"), &found[..1]);
    let row = "| `ttl_seconds` | How long it lives | 86400 | 3600 | 172800 |\n";
    assert_eq!(page, format!("# P\n\n{HEAD}{row}\n## Next\n"));
}
