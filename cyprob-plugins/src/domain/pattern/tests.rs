use super::*;

fn compile(source: &str) -> Result<Pattern, PatternError> {
    let limits = PatternLimits::default();
    Pattern::new(source, &limits, &mut Budget::new(&limits))
}

#[test]
fn accepts_and_refuses_what_go_does() {
    // As answered by Go's regexp.Compile.
    for good in [
        "a{,2}",
        "a{",
        "a{2",
        "[[]",
        "[]a]",
        "[^]a]",
        r"\Q.+\E",
        r"\Qab",
        r"\123",
        r"\01",
        r"\x{41}",
        r"\_",
        r"\-",
        "(?P<n>a)",
        "(?i-s)a",
        "(?U)a+",
        "a*?",
        r"\pL",
        r"\p{Greek}",
        r"\p{^Greek}",
        "[[:word:]]",
        "[[:^alpha:]]",
        r"\z",
        r"\A",
        "[a&&b]",
        r"\<",
        "é{2}",
        "(?:)",
        "()",
        "(|a)*",
        "^*",
        "$+",
        "(?i)",
        "[a-b-c]",
        "[a-]",
        "[--a]",
        r"\v",
        r"\a",
        r"\f",
        r"\07",
        r"\0",
        "(a){0}",
        "x{-1}",
        "[a-z&&[^b]]",
        r"[\pL]",
        r"\pN{2}",
        "(?P<a>x)(?P<a>y)",
        "(?P<1a>x)",
        "[[:space:]]",
        r"\p{Lu}",
        r"\p{Any}",
        "|",
        "a||b",
        "(?m)$",
        "(?s-i:x)",
        "(?ii)",
        r"\b+",
        "(?:^)*",
        r"\Q",
        r"[\x41-\x{5A}]",
        "[[:alpha:]-z]",
        "",
        "a{0,300}",
        "[~~]",
        r"\B",
        "(?)x",
        "(?<n>a)",
        r"[\d-z]",
        r"\#",
        "a#b c",
    ] {
        assert!(compile(good).is_ok(), "{good}: {:?}", compile(good).err());
    }
    for bad in [
        "a{1001}",
        r"[a-\d]",
        r"\8",
        r"\x4",
        "(?x)a",
        "a**",
        "a*+",
        "[[:foo:]]",
        r"\C",
        r"\Z",
        r"\é",
        "[z-a]",
        r"\E",
        r"[\Q]\E]",
        "x{2}{3}",
        "(?",
        r"\h",
        r"\1",
        r"[\b]",
        r"[\B]",
        r"\u0041",
        "a{0,1001}",
        "((a{100}){100}){100}",
        "(a{2}){501}",
        "a{2,1}",
        r"\p{L",
        "**",
        "(?-)",
        "(?i-)",
        "[]",
        "[^]",
        r"\x{110000}",
        r"\xZZ",
        "[a-[:alpha:]]",
        "(?=a)",
        r"(a)\1",
        "[",
        "(",
        ")",
        r"\",
        "*",
        "|*",
        "(*)",
        "(?i)*",
        "((?i)*)",
        "a{3}*",
        r"\p{Alphabetic}",
        r"\p{greek}",
        "(?P=n)",
        "(?#x)",
        "(?P<>x)",
        "a??+",
        "[a--b]",
    ] {
        assert!(
            matches!(compile(bad), Err(PatternError::Syntax(_))),
            "{bad}: {:?}",
            compile(bad).map(|p| p.rust)
        );
    }
}

#[test]
fn matches_as_go_does() {
    for (pattern, text, want) in [
        (r"\d", "١", false),
        (r"\w", "é", false),
        (r"\bé", "aé", true),
        (r"\s", "\u{b}", false),
        (r"\s", "\u{c}", true),
        ("a.b", "a\nb", false),
        ("^b$", "a\nb", false),
        ("(?m)^b$", "a\nb", true),
        ("(?i)ABC", "abc", true),
        ("na.ve", "naïve", true),
        ("b$", "b\n", false),
        ("(?s)a.b", "a\nb", true),
        ("[^a]", "\n", true),
        ("(?i)k", "\u{212a}", true),
        (r"(?i)\w", "\u{212a}", true),
        (r"(?i)\W", "\u{212a}", false),
        ("[a&&b]", "&", true),
        (r"\Qa.b\E+", "a.bb", true),
        ("a{,2}", "a{,2}", true),
        (r"\x{41}", "A", true),
        (r"\101", "A", true),
        (r"\p{Lu}", "É", true),
        (r"\P{Lu}", "É", false),
        (r"\p{^Greek}", "α", false),
        ("[[:^alpha:]]", "a", false),
        (r"[^\W]", "é", false),
        ("^(?:a|b)+$", "abba", true),
        ("(?i:a)b", "AB", false),
        ("[~~]", "~", true),
        ("a#b c", "a#b c", true),
        (r"\B", "aéb", false),
        (r"^a(?i)*b$", "aaB", true),
        (r"^a(?i)*b$", "AB", false),
        (r"^a+(?)?$", "", true),
        (r"^(ab)(?s)+(?i)?c$", "ababC", true),
        ("", "", true),
    ] {
        assert_eq!(
            compile(pattern)
                .unwrap()
                .is_match(text, &Work::new())
                .unwrap(),
            want,
            "{pattern} on {text:?}"
        );
    }
}

#[test]
fn cost_is_refused_before_it_is_paid() {
    for costly in [
        "a".repeat(5000),
        r"\pL{100}".to_owned(),
        "(?:a|b|c|d|e|f|g|h|i|j){1000}".to_owned(),
        format!("{}a{}", "(".repeat(21), ")".repeat(21)),
        "[^a]{900}".to_owned(),
        ".{1000}".to_owned(),
    ] {
        assert!(
            matches!(compile(&costly), Err(PatternError::Cost(_))),
            "{}",
            &costly[..20.min(costly.len())]
        );
    }
}

#[test]
fn refused_patterns_are_charged_too() {
    let limits = PatternLimits::default();
    let mut budget = Budget::new(&limits);
    let heavy = r"\pL+\pL\pL\pL";
    let refusals = (0..100)
        .map(|_| Pattern::new(heavy, &limits, &mut budget).unwrap_err())
        .filter(|e| matches!(e, PatternError::Cost(text) if text.contains("together")))
        .count();
    assert!(refusals > 80, "{refusals}");
}

#[test]
fn matching_is_bounded_too() {
    let pattern = compile("[ab]*a[ab]{300}c").unwrap();
    let text = "ab".repeat(MATCH_INPUT_BYTES / 2);
    let work = Work::new();
    assert_eq!(pattern.is_match(&text, &work), Ok(false));
    assert!((0..20).any(|_| pattern.is_match(&text, &work).is_err()));
    assert!(
        compile("a")
            .unwrap()
            .is_match(&format!("{text}a"), &Work::new())
            .is_err()
    );
}
