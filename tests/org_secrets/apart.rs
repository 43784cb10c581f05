//! SEC-4 over HTTP: whatever one organization writes in a path, another's secrets are as they were.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::site::Site;

/// A small generator: the names are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// What paths and attacks on them are made of, with both organizations' ids.
fn pieces(own: &str, other: &str) -> Vec<String> {
    let mut pieces: Vec<String> = [
        "a",
        "a",
        "db",
        "b",
        "0",
        "~",
        "~",
        "~",
        "/",
        "%2f",
        "%2F",
        "..",
        "../",
        ".",
        "%2e%2e",
        "~..~",
        "%7e",
        "%7E",
        "orgs",
        "orgs~",
        "secrets",
        "_",
        "-",
        "%00",
        "%ff",
        "A",
        ";",
        "@",
        "+",
        "%5c",
        "%c0%af",
        "changes",
        "orgs.changes~",
        "rotate",
        "*",
        "'",
    ]
    .map(str::to_owned)
    .to_vec();
    for id in [own, other] {
        pieces.extend([id.to_owned(), format!("{id}~"), format!("~{id}~a")]);
    }
    pieces.extend([
        format!("../../{other}/secrets/a"),
        format!("..~{other}~a"),
        format!("%2e%2e%2f{other}%2fa"),
    ]);
    pieces
}

/// On two sites at once, each with names of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_4_over_http() {
    let mut sites = JoinSet::new();
    for seed in [7, 8] {
        sites.spawn(names_over_http(Dice(seed), 50_000));
    }
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for (outcome, count) in sites.join_all().await.into_iter().flatten() {
        *outcomes.entry(outcome).or_default() += count;
    }
    println!("SEC-4 over HTTP: {outcomes:?}");
    assert!(outcomes["PUT 200"] > 10_000, "{outcomes:?}");
    assert!(outcomes["PUT 422"] > 10_000, "{outcomes:?}");
    let deleted = |outcome: &&String| !outcome.starts_with("DELETE");
    let asked = outcomes.keys().filter(deleted).map(|put| outcomes[put]);
    assert_eq!(asked.sum::<u32>(), 100_000);
}

async fn names_over_http(mut dice: Dice, names: u32) -> BTreeMap<String, u32> {
    let site = Site::new().await;
    let (acme, globex) = (&site.acme, &site.globex);
    let slug_paths = [acme.org.clone(), "acme".to_owned()];
    let theirs = ["a", "db~a", &globex.org, &format!("{}~a", globex.org)];
    for name in theirs {
        site.put(name, globex, "theirs").await.expect(200);
    }
    let before = site.list(globex).await;
    let pieces = pieces(&acme.org, &globex.org);
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for n in 0..names {
        let count = 1 + dice.below(4);
        let name: String = (0..count)
            .map(|_| pieces[dice.below(pieces.len())].as_str())
            .collect();
        let org = &slug_paths[usize::from(n % 2 == 1)];
        let path = format!("/api/v1/orgs/{org}/secrets/{name}");
        if path.parse::<axum::http::Uri>().is_err() {
            *outcomes.entry("no address".to_owned()).or_default() += 1;
            continue;
        }
        let body = json!({ "value": "ours" });
        let put = site.ask("PUT", &path, acme, &body).await;
        *outcomes.entry(format!("PUT {}", put.status)).or_default() += 1;
        if put.status == 422 && n % 10 > 0 {
            continue;
        }
        let deleted = site.ask("DELETE", &path, acme, &Value::Null).await;
        let outcome = format!("DELETE {}", deleted.status);
        *outcomes.entry(outcome).or_default() += 1;
        // Whatever was stored is what is deleted: one path, one secret.
        assert_eq!(put.status == 200, deleted.status == 204, "{path}");
        assert!(
            put.status < 500 && deleted.status < 500,
            "{path}: {}",
            put.text
        );
        if n % 1_000 == 0 {
            assert!(site.list(acme).await.is_empty(), "{path}");
            assert_eq!(site.list(globex).await, before, "{path}");
        }
    }
    assert_eq!(site.list(globex).await, before);
    for name in theirs {
        let value = site.value(globex, &name.replace('~', "/")).await;
        assert_eq!(value.unwrap(), b"theirs");
    }
    outcomes
}

#[tokio::test]
async fn both_have_secrets_of_one_name() {
    let site = Site::new().await;
    let (acme, globex) = (&site.acme, &site.globex);
    site.put("a", acme, "of acme").await.expect(200);
    site.put("a", globex, "of globex").await.expect(200);
    site.put("a", globex, "of globex too").await.expect(200);
    assert_eq!(site.list(acme).await, [("a".to_owned(), 1)]);
    assert_eq!(site.list(globex).await, [("a".to_owned(), 2)]);
    // With a token of one, the other's paths are not there.
    let path = format!("/api/v1/orgs/{}/secrets", globex.org);
    for (method, path, body) in [
        ("GET", path.clone(), Value::Null),
        ("PUT", format!("{path}/a"), json!({ "value": "x" })),
        ("DELETE", format!("{path}/a"), Value::Null),
        ("POST", format!("{path}/a/rotate"), json!({})),
    ] {
        let refused = site.ask(method, &path, acme, &body).await;
        assert_eq!(refused.expect(404).code(), "not_found");
    }
    site.secret("DELETE", "a", acme, &Value::Null)
        .await
        .expect(204);
    assert_eq!(site.value(globex, "a").await.unwrap(), b"of globex too");
}
