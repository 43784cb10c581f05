//! The catalogue of actions, from its source into the inventory of logs.

const HEAD: &str = "| action | means |\n| --- | --- |\n";

/// Name and meaning of each action, in the catalogue's order.
pub(crate) fn of(source: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let mut found = Vec::new();
    for pair in lines.windows(2) {
        let meaning = pair[0].strip_prefix("/// ");
        let name = pair[1]
            .strip_suffix("\";")
            .and_then(|line| line.split_once(" \""))
            .filter(|(variant, _)| variant.chars().all(char::is_alphanumeric));
        if let (Some(meaning), Some((_, name))) = (meaning, name) {
            found.push((name.to_owned(), meaning.trim_end_matches('.').to_owned()));
        }
    }
    found
}

/// The page with this list at its end.
pub(crate) fn into_page(page: &str, actions: &[(String, String)]) -> String {
    let (before, _) = page
        .split_once(HEAD)
        .expect("the page has a list of actions");
    let rows = actions
        .iter()
        .map(|(name, meaning)| format!("| `{name}` | {meaning} |\n"));
    format!("{before}{HEAD}{}", rows.collect::<String>())
}

#[test]
fn actions_are_read_with_their_meaning() {
    let source = "    /// A person signed in.\n    SessionOpened \"session.opened\";\n    /// Text.\n    fn x() {}\n";
    let expected = ("session.opened".to_owned(), "A person signed in".to_owned());
    assert_eq!(of(source), std::slice::from_ref(&expected));
    let page = into_page(&format!("# Page\n{HEAD}old"), &[expected]);
    assert_eq!(
        page,
        format!("# Page\n{HEAD}| `session.opened` | A person signed in |\n")
    );
}
