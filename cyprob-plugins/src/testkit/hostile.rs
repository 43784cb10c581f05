//! A set of hostile plugin files with the diagnosis each must get.
//!
//! It uses nothing but the standard library, so that the test of the command
//! line can include it as it is.

/// One hostile file.
#[derive(Debug, Clone)]
pub struct HostileFile {
    /// What it is, usable as a file name.
    pub name: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The code of the diagnostic it must get.
    pub code: &'static str,
    /// Line and column of that diagnostic.
    pub at: (usize, usize),
}

const HEAD: &str = "id: hostile-file\nname: n\nversion: 1.0.0\ntype: evaluation\nauthor: a\nmetadata: {severity: low}\n";
const TAIL: &str = "output: {vulnerability: true, message: m}\n";

/// A file with nothing wrong, for comparison in the same run.
#[must_use]
pub fn benign() -> Vec<u8> {
    rule("matches", "'^OpenSSH_[0-8]'").into_bytes()
}

fn rule(operator: &str, value: &str) -> String {
    format!(
        "{HEAD}match:\n  logic: OR\n  rules:\n    - {{field: a, operator: {operator}, value: {value}}}\n{TAIL}"
    )
}

/// The alias bomb: each level names the one before nine times.
fn bomb() -> String {
    let mut out = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..400 {
        let names = vec![format!("*a{}", level - 1); 9].join(", ");
        out.push_str(&format!("a{level}: &a{level} [{names}]\n"));
    }
    out
}

/// All hostile files; the largest has 64 MiB.
#[must_use]
pub fn files() -> Vec<HostileFile> {
    let mut out = Vec::new();
    let mut add = |name, bytes: Vec<u8>, code, at| {
        out.push(HostileFile {
            name,
            bytes,
            code,
            at,
        })
    };
    let text = |s: &str| s.as_bytes().to_vec();

    add(
        "malformed",
        text("name: [a\nversion: 1\n"),
        "syntax",
        (2, 8),
    );
    add("malformed-tab", text("name:\n\t- a\n"), "syntax", (2, 1));
    add("unclosed-quote", text("name: \"abc\n"), "syntax", (2, 1));
    add("empty", Vec::new(), "empty", (1, 1));
    add("only-a-list", text("- a\n- b\n"), "wrong-type", (1, 1));
    let mut huge = text("name: ");
    huge.resize(64 << 20, b'x');
    add("huge-scalar", huge, "too-large", (1, 262_145));
    add(
        "long-scalar",
        format!("name: {}\n", "x".repeat(200_000)).into_bytes(),
        "scalar-too-long",
        (1, 7),
    );
    add("alias-bomb", bomb().into_bytes(), "anchor", (1, 5));
    add("alias-alone", text("name: *x\n"), "alias", (1, 7));
    add(
        "deep-flow-map",
        "{a: ".repeat(25_000).into_bytes(),
        "too-deep",
        (1, 129),
    );
    add(
        "deep-flow-list",
        "[".repeat(200_000).into_bytes(),
        "too-deep",
        (1, 33),
    );
    add(
        "deep-block-list",
        "- ".repeat(100_000).into_bytes(),
        "too-deep",
        (1, 65),
    );
    let block: String = (0..700).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    add("deep-block-map", block.into_bytes(), "too-deep", (33, 33));
    add(
        "explicit-keys",
        "? ".repeat(100_000).into_bytes(),
        "wrong-type",
        (1, 3),
    );
    add(
        "anchor-behind-nel",
        text("name: a # c\u{85}version: &x 1\n"),
        "anchor",
        (2, 10),
    );
    add(
        "anchor-behind-ls",
        text("name: a # c\u{2028}version: &x 1\n"),
        "anchor",
        (2, 10),
    );
    add(
        "anchor-behind-ps",
        text("name: a # c\u{2029}version: &x 1\n"),
        "anchor",
        (2, 10),
    );
    add(
        "anchor-behind-cr",
        text("name: a # c\rversion: &x 1\n"),
        "anchor",
        (2, 10),
    );
    add(
        "mixed-line-ends",
        text("name: a\r\nversion: 1\rtype: b\nname: c\n"),
        "duplicate-key",
        (4, 1),
    );
    add(
        "duplicate-key",
        text("name: a\nname: b\n"),
        "duplicate-key",
        (2, 1),
    );
    add(
        "duplicate-deep",
        format!("{HEAD}output: {{message: a, message: b}}\n").into_bytes(),
        "duplicate-key",
        (7, 22),
    );
    add(
        "custom-tag",
        text("name: !!python/object/apply:os.system [id]\n"),
        "custom-tag",
        (1, 7),
    );
    add("local-tag", text("name: !secret a\n"), "custom-tag", (1, 7));
    add(
        "merge-key",
        text("name: a\n<<: {b: c}\n"),
        "merge-key",
        (2, 1),
    );
    add(
        "tag-directives",
        "%TAG !a! tag:x,2000:\n".repeat(12_000).into_bytes(),
        "too-many-directives",
        (17, 1),
    );
    add(
        "second-document",
        text("name: a\n---\nname: b\n"),
        "second-document",
        (2, 1),
    );
    add("nul", text("name: a\0b\n"), "nul", (1, 8));
    add("escaped-nul", text("name: \"a\\0b\"\n"), "nul", (1, 7));
    add(
        "bad-utf8",
        b"name: a\nauthor: \xc3\x28\n".to_vec(),
        "not-utf8",
        (2, 9),
    );
    add(
        "utf16",
        "\u{feff}name: a\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
        "nul",
        (1, 4),
    );
    let keys: String = (0..9_000).map(|i| format!("k{i}: 1\n")).collect();
    add(
        "key-explosion",
        keys.into_bytes(),
        "too-many-nodes",
        (5000, 8),
    );
    add(
        "item-explosion",
        format!("name: [{}]\n", "1,".repeat(100_000)).into_bytes(),
        "too-many-nodes",
        (1, 20_002),
    );
    add(
        "bad-pattern",
        rule("matches", "'(?=a)'").into_bytes(),
        "bad-pattern",
        (10, 44),
    );
    add(
        "unclosed-pattern",
        rule("matches", "'[a'").into_bytes(),
        "bad-pattern",
        (10, 44),
    );
    add(
        "costly-pattern",
        rule("matches", "'(?:.{30}){33}'").into_bytes(),
        "costly-pattern",
        (10, 44),
    );
    add(
        "nested-pattern",
        rule(
            "matches",
            &format!("'{}a{}'", "(".repeat(500), ")".repeat(500)),
        )
        .into_bytes(),
        "costly-pattern",
        (10, 44),
    );
    add(
        "long-pattern",
        rule("matches", &format!("'{}'", "a|".repeat(20_000))).into_bytes(),
        "costly-pattern",
        (10, 44),
    );
    let many = "    - {field: a, operator: matches, value: '[\\pL\\pN]{3}x'}\n".repeat(1_200);
    add(
        "many-patterns",
        format!("{HEAD}match:\n  logic: OR\n  rules:\n{many}{TAIL}").into_bytes(),
        "costly-pattern",
        (18, 44),
    );
    add(
        "unknown-operator",
        rule("like", "x").into_bytes(),
        "unknown-operator",
        (10, 28),
    );
    add(
        "huge-integer",
        rule("gt", &"9".repeat(50_000)).into_bytes(),
        "bad-value",
        (10, 39),
    );
    add(
        "not-a-number",
        rule("gt", ".nan").into_bytes(),
        "bad-value",
        (10, 39),
    );
    add(
        "endless-version",
        rule("version_lt", &format!("'{}1'", "1.".repeat(30_000))).into_bytes(),
        "bad-version",
        (10, 47),
    );
    add(
        "terminal-escape",
        format!("{HEAD}\"\\e[2Jx\": 1\n{TAIL}").into_bytes(),
        "unknown-key",
        (7, 1),
    );
    out
}
