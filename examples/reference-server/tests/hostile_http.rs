//! Bad input at every route: always a 4xx problem with a code of the catalogue, never a 5xx.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::server::CYPROB;
use support::{Answer, Backend, World};

/// The codes of the contract.
const CODES: &[&str] = &[
    "sign_in_required",
    "invalid_credentials",
    "mfa_required",
    "slow_down",
    "busy",
    "invalid_grant",
    "invalid_token",
    "step_up_required",
    "forbidden",
    "not_found",
    "method_not_allowed",
    "conflict",
    "version_exists",
    "invalid_body",
    "unknown_field",
    "invalid_field",
    "too_large",
    "request_timeout",
    "unsupported_media_type",
    "invalid_cursor",
    "invalid_plugin",
    "weak_password",
    "last_owner",
];

#[derive(Default)]
struct Tally {
    codes: BTreeMap<String, u32>,
    wrong: Vec<String>,
}

impl Tally {
    /// What came must be a refusal in the right form.
    fn refused(&mut self, what: &str, answer: &Answer) {
        let body = answer.json();
        let well_formed = (400..500).contains(&answer.status)
            && answer.header("content-type") == Some("application/problem+json")
            && body["status"] == json!(answer.status)
            && CODES.contains(&answer.code().as_str())
            && ["type", "title", "detail"]
                .iter()
                .all(|name| body[*name].is_string())
            && body["request_id"].as_str() == answer.header("x-request-id")
            && (answer.status != 401 || answer.header("www-authenticate") == Some("Bearer"));
        *self
            .codes
            .entry(format!("{} {}", answer.status, answer.code()))
            .or_default() += 1;
        if !well_formed {
            self.wrong
                .push(format!("{what}: {} {}", answer.status, answer.text()));
        }
    }

    fn end(self) {
        println!(
            "{} refusals: {:?}",
            self.codes.values().sum::<u32>(),
            self.codes
        );
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

/// The routes with the document's example of what each takes.
fn routes() -> Vec<(String, String, String)> {
    let output = std::process::Command::new(CYPROB)
        .args(["routes", "--format", "json"])
        .output();
    let printed: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = printed["routes"].as_array().unwrap().iter();
    rows.map(|r| (text(&r["method"]), text(&r["path"]), text(&r["policy"])))
        .collect()
}

fn token<'a>(world: &'a World, policy: &str) -> Option<&'a str> {
    match policy {
        "public" => None,
        "system" => Some(&world.administrator.token),
        _ => Some(&world.member("acme", "owner").token),
    }
}

fn fill(path: &str, id: &str) -> String {
    let path = path.replace("{org}", "acme");
    let mut parts: Vec<&str> = path.split('/').collect();
    for part in &mut parts {
        if part.starts_with('{') {
            *part = id;
        }
    }
    parts.join("/")
}

fn send(
    world: &World,
    method: &str,
    path: &str,
    token: Option<&str>,
    kind: &str,
    body: &[u8],
) -> Answer {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", kind)];
    if let Some(bearer) = &bearer {
        headers.push(("authorization", bearer.as_str()));
    }
    world.client.send(method, path, &headers, Some(body))
}

fn bodies_that_do_not_hold(backend: Backend) {
    let world = World::on(backend, "");
    let mut tally = Tally::default();
    let document = world
        .client
        .call("GET", "/openapi.json", None, None)
        .expect(200)
        .json();
    let large = [b"{\"email\":\"".as_slice(), &vec![b'a'; 300 << 10], b"\"}"].concat();
    let deep = "[".repeat(50_000);
    for (method, path, policy) in routes() {
        let operation = &document["paths"][&path][method.to_lowercase()];
        let reference = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(name) = reference.as_str().and_then(|r| r.rsplit('/').next()) else {
            continue;
        };
        // A closed door answers 404 to everything, which is a refusal as well.
        let target = fill(&path, "usr_01a20b02a9a07894b77eb7cb06a0fbf0");
        let bearer = token(&world, &policy);
        let mut post = |what: &str, kind: &str, body: &[u8]| {
            let answer = send(&world, &method, &target, bearer, kind, body);
            tally.refused(&format!("{method} {path} {what}"), &answer);
        };
        let j = "application/json";
        for (what, body) in [
            ("empty", b"".as_slice()),
            ("not JSON", b"{"),
            ("not UTF-8", b"{\"email\":\"\xff\"}"),
            ("an array", b"[]"),
            ("a number", b"17"),
            ("null", b"null"),
            ("two values", b"{} {}"),
            ("a NUL", b"{\"email\":\"\\u0000\"}"),
            ("a lone surrogate", b"{\"email\":\"\\ud800\"}"),
            ("too large", &large),
            ("too deep", deep.as_bytes()),
            ("an unknown field", b"{\"zzz\":1}"),
        ] {
            post(what, j, body);
        }
        post("no JSON type", "text/plain", b"{}");
        post("a form", "application/x-www-form-urlencoded", b"a=b");
        let fields = document["components"]["schemas"][name]["properties"]
            .as_object()
            .unwrap();
        for field in fields.keys() {
            for wrong in [
                json!(1),
                json!([]),
                json!({ "zzz": 1 }),
                json!("\u{1}"),
                json!("a\u{0}b"),
                json!("x".repeat(9_000)),
                json!(-1.5),
            ] {
                let mut body = json!({});
                for other in fields.keys() {
                    body[other] = json!("acme");
                }
                body[field] = wrong.clone();
                post(
                    &format!("{field} = {:.30}", wrong.to_string()),
                    j,
                    body.to_string().as_bytes(),
                );
            }
        }
    }
    tally.end();
}

fn paths_and_queries_that_do_not_hold(backend: Backend) {
    let world = World::on(backend, "");
    let mut tally = Tally::default();
    let ids = [
        "x",
        "usr_",
        "usr_zz",
        "org_01a20b02a9a07894b77eb7cb06a0fbf0",
        "%00",
        "%ff",
        "..",
        "%2e%2e",
        "a%2fb",
        "'--",
        "%F0%9F%92%A9",
    ];
    for (method, path, policy) in routes() {
        let bearer = token(&world, &policy);
        if path.matches('{').count() > usize::from(path.contains("{org}")) {
            for id in ids {
                let answer = send(
                    &world,
                    &method,
                    &fill(&path, id),
                    bearer,
                    "application/json",
                    b"{\"role\":\"viewer\"}",
                );
                tally.refused(&format!("{method} {path} {id}"), &answer);
            }
        }
        if method == "GET" && policy != "public" && !path.contains("/{id}") {
            for query in [
                "limit=0",
                "limit=101",
                "limit=x",
                "limit=-1",
                "limit=99999999999999999999",
                "cursor=",
                "cursor=!!",
                "cursor=AAAA",
                "limit=1&limit=2",
                "zzz=1",
                "cursor=%ff",
                "cursor=%00",
                "actor=a%00b",
                "action=%00",
                "%",
            ] {
                let target = format!("{}?{query}", fill(&path, "x"));
                let answer = world.client.get(&target, bearer.unwrap());
                // Routes without lists take no query at all; they need not look at it.
                if answer.status != 200 {
                    tally.refused(&format!("{path}?{query}"), &answer);
                } else {
                    assert!(!has_pages(&answer), "{path}?{query} is taken");
                }
            }
        }
    }
    for path in [
        "/nothing",
        "/api/v1",
        "/api/v1/orgs",
        "/api/v1/me/",
        "//api/v1/me",
        "/api/v1/orgs/acme/../me",
    ] {
        tally.refused(path, &world.client.get(path, &world.administrator.token));
    }
    for (method, path) in [
        ("PUT", "/api/v1/me"),
        ("DELETE", "/healthz"),
        ("TRACE", "/api/v1/me"),
        ("OPTIONS", "/api/v1/me"),
    ] {
        let answer = world
            .client
            .call(method, path, Some(&world.administrator.token), None);
        tally.refused(&format!("{method} {path}"), &answer);
    }
    tally.end();
}

fn has_pages(answer: &Answer) -> bool {
    answer
        .json()
        .get("next_cursor")
        .is_some_and(|_| answer.json()["items"].is_array())
}

fn tokens_that_do_not_live(backend: Backend) {
    let world = World::on(backend, "");
    let mut tally = Tally::default();
    let owner = &world.member("acme", "owner").token;
    let mut flipped = owner.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let ended = world.new_member("acme", "viewer", owner);
    world
        .client
        .call("POST", "/api/v1/auth/logout", Some(&ended.token), None)
        .expect(204);
    let long = "A".repeat(12_000);
    let tokens = [
        "x",
        "A",
        "====",
        &flipped,
        &owner[1..],
        &owner[..owner.len() - 4],
        &ended.token,
        &long,
    ];
    for (method, path, policy) in routes() {
        if policy == "public" {
            continue;
        }
        let target = fill(&path, "usr_01a20b02a9a07894b77eb7cb06a0fbf0");
        for token in tokens {
            let answer = send(
                &world,
                &method,
                &target,
                Some(token),
                "application/json",
                b"{}",
            );
            tally.refused(&format!("{method} {path} {token:.20}"), &answer);
            assert!(
                matches!(answer.status, 401),
                "{method} {path}: {}",
                answer.status
            );
        }
        for header in ["Basic YTpi", "Bearer", "bearer  x", "Token x"] {
            let answer = world
                .client
                .send(&method, &target, &[("authorization", header)], None);
            tally.refused(&format!("{method} {path} {header}"), &answer);
            assert_eq!(answer.status, 401);
        }
        // A token anywhere else is no token.
        let answer = world.client.send(
            &method,
            &format!("{target}?access_token={owner}"),
            &[("cookie", &format!("token={owner}"))],
            None,
        );
        assert_eq!(answer.status, 401, "{method} {path}");
    }
    tally.end();
}

macro_rules! on {
    ($backend:ident) => {
        use super::Backend;

        #[test]
        fn bodies_that_do_not_hold() {
            super::bodies_that_do_not_hold(Backend::$backend);
        }

        #[test]
        fn paths_and_queries_that_do_not_hold() {
            super::paths_and_queries_that_do_not_hold(Backend::$backend);
        }

        #[test]
        fn tokens_that_do_not_live() {
            super::tokens_that_do_not_live(Backend::$backend);
        }
    };
}

mod over_sqlite {
    on!(Sqlite);
}

mod over_postgres {
    on!(Postgres);
}
