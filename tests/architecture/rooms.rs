//! Who may import whom inside the crates, and where third parties may appear.

use crate::{lexer, paths};

/// The crates that have rooms.
const CRATES: [&str; 5] = [
    "cyprob-core",
    "cyprob-authz",
    "cyprob-secrets",
    "cyprob-audit",
    "cyprob-plugins",
];

const ROOMS: [&str; 6] = ["domain", "ports", "service", "adapters", "http", "testkit"];

/// What a room may import, of its own crate and of a sibling.
fn allowed(room: &str) -> &'static [&'static str] {
    match room {
        "domain" => &["domain"],
        "ports" => &["domain", "ports"],
        "service" => &["domain", "ports", "service"],
        "adapters" => &["domain", "ports", "adapters"],
        "http" => &["domain", "ports", "service", "http"],
        _ => &ROOMS,
    }
}

/// A shipped source file of a crate with rooms: the crate, and the path below `src/`.
fn place(path: &str) -> Option<(&str, &str)> {
    let (name, below) = path.split_once("/src/")?;
    (CRATES.contains(&name) && !is_test(path)).then_some((name, below))
}

pub(crate) fn is_test(path: &str) -> bool {
    let in_folder = |folder: &str| {
        path.starts_with(&format!("{folder}/")) || path.contains(&format!("/{folder}/"))
    };
    path.ends_with("/tests.rs")
        || ["tests", "testkit", "benches", "fuzz"]
            .into_iter()
            .any(in_folder)
}

/// A room imports only from itself and the rooms before it, here and in siblings.
pub(crate) fn order(path: &str, text: &str) -> Vec<String> {
    let Some((own, below)) = place(path) else {
        return Vec::new();
    };
    let module = paths::module_of(below);
    let Some(room) = module.first().cloned() else {
        return Vec::new(); // lib.rs re-exports what it likes.
    };
    if !ROOMS.contains(&room.as_str()) {
        return vec![format!(
            "{path}: `{room}` is no room; the rooms are {}",
            ROOMS.join(", ")
        )];
    }
    let mut broken = Vec::new();
    for used in paths::of(&lexer::shipped(text), &module) {
        let first = used[0].as_str();
        let target = used.get(1).map_or("", String::as_str);
        let sibling = first
            .starts_with("cyprob_")
            .then(|| first.replace('_', "-"));
        if sibling
            .as_ref()
            .is_some_and(|to| to != own && to != "cyprob-core")
        {
            broken.push(format!(
                "{path}: `{first}` is a crate that {own} may not know"
            ));
        } else if (first == "crate" || sibling.is_some()) && !may(&room, target) {
            broken.push(format!("{path}: {room} may not use `{first}::{target}`"));
        }
    }
    broken.sort();
    broken.dedup();
    broken
}

/// A name at a crate's root that is no room is a re-export, which hides its
/// room; macros alone live there, of which adapters share one.
fn may(room: &str, target: &str) -> bool {
    allowed(room).contains(&target) || (room == "adapters" && target == "sql_statements")
}

/// `sqlx` appears only under `adapters/`, `axum` only under `http/`.
pub(crate) fn third_parties(path: &str, text: &str) -> Vec<String> {
    let below = match place(path) {
        Some((_, below)) => below,
        None => match path.strip_prefix("src/") {
            Some(below) if !is_test(path) => below,
            _ => return Vec::new(),
        },
    };
    let room = below.split('/').next().unwrap_or_default();
    let room = room.strip_suffix(".rs").unwrap_or(room);
    let code = lexer::shipped(text);
    [("sqlx", "adapters"), ("axum", "http")]
        .into_iter()
        .filter(|(name, home)| room != *home && has_word(&code, name))
        .map(|(name, home)| format!("{path}: `{name}` outside {home}/"))
        .collect()
}

pub(crate) fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.split(|c| !is_part(c)).any(|found| found == word)
}

#[test]
fn the_order_of_rooms_is_kept() {
    let ok = |path: &str, text: &str| order(path, text).is_empty();
    for (room, good, bad) in [
        ("domain", "domain::A", "ports::P"),
        ("domain", "domain", "adapters::x"),
        ("ports", "domain::A", "service::S"),
        ("service", "ports::P", "adapters::memory"),
        ("adapters", "ports::P", "service::S"),
        ("http", "service::S", "adapters::memory"),
        ("adapters", "adapters::x", "testkit::t"),
        ("domain", "domain::A", "Root"),
    ] {
        let path = format!("cyprob-authz/src/{room}/a.rs");
        for form in [
            "use crate::X;",
            "fn f() { crate::X::new() }",
            "use cyprob_core::X;",
            "use crate::{domain::Y, X};",
        ] {
            assert!(ok(&path, &form.replace('X', good)), "{room} {form} {good}");
            assert!(!ok(&path, &form.replace('X', bad)), "{room} {form} {bad}");
        }
    }
    assert!(!ok(
        "cyprob-core/src/domain/a/b.rs",
        "use super::super::super::ports::P;"
    ));
    assert!(!ok("cyprob-core/src/domain.rs", "use super::ports::P;"));
    assert!(ok(
        "cyprob-core/src/domain/a/b.rs",
        "use super::super::c::P;"
    ));
    assert!(!ok(
        "cyprob-authz/src/http/a.rs",
        "use cyprob_secrets::domain::A;"
    ));
    assert!(!ok("cyprob-authz/src/helpers.rs", ""));
    // What is no shipped code breaks no rule.
    assert!(ok(
        "cyprob-core/src/domain/a.rs",
        "// crate::ports::P\n\"crate::ports::P\""
    ));
    assert!(ok(
        "cyprob-core/src/domain/a.rs",
        "#[cfg(test)] mod tests { use crate::testkit::x; }"
    ));
    assert!(ok(
        "cyprob-core/src/domain/a/tests.rs",
        "use crate::testkit::x;"
    ));
}

#[test]
fn third_parties_stay_in_their_rooms() {
    let broken = |path: &str, text: &str| third_parties(path, text).len();
    assert_eq!(
        broken("cyprob-core/src/service/a.rs", "fn f(p: sqlx::Pool) {}"),
        1
    );
    assert_eq!(
        broken(
            "cyprob-core/src/adapters/a.rs",
            "use sqlx::Pool; use axum::Router;"
        ),
        1
    );
    assert_eq!(
        broken("cyprob-core/src/adapters/sqlite/a.rs", "use sqlx::Pool;"),
        0
    );
    assert_eq!(broken("src/wiring/a.rs", "use axum::Router;"), 1);
    assert_eq!(broken("src/http/a.rs", "use axum::Router;"), 0);
    assert_eq!(broken("src/builder.rs", "use ::axum as web;"), 1);
    assert_eq!(broken("src/builder.rs", "// axum\nfn taxum() {}"), 0);
}
