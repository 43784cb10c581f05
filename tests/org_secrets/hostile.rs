//! HTTP-1 and SEC-1: bad requests, with what must not be shown in them.

use serde_json::{Value, json};

use super::site::Site;

const MARKER: &str = "m4rk3r-0f-4-s3cr3t";

#[tokio::test]
async fn no_refusal_repeats_what_was_sent() {
    let site = Site::new().await;
    let acme = &site.acme;
    let quoted = json!(MARKER).to_string();
    let long = "x".repeat(65_537);
    let bodies = [
        (json!({ "value": 17 }).to_string(), 422),
        (format!("{{\"value\":[{quoted}]}}"), 422),
        (format!("{{\"value\":{{\"a\":{quoted}}}}}"), 422),
        (format!("{{\"value\":{quoted}"), 400),
        (format!("{{\"value\":\"{MARKER}"), 400),
        (format!("{{\"value\":\"{MARKER}\\x\"}}"), 400),
        (format!("{{\"value\":\"{MARKER}\\ud800\"}}"), 400),
        (format!("{{\"value\":{MARKER}}}"), 400),
        (format!("{{\"value\":{quoted},\"value\":{quoted}}}"), 400),
        (format!("{{\"value\":{quoted},\"encoding\":{quoted}}}"), 422),
        (
            format!("{{\"value\":{quoted},\"encoding\":[{quoted}]}}"),
            422,
        ),
        (format!("{{\"value\":{quoted},\"version\":{quoted}}}"), 422),
        (format!("{{\"value\":{quoted},\"version\":-1}}"), 422),
        (format!("{{\"value\":{quoted},\"version\":1e3}}"), 422),
        (format!("{{\"value\":{quoted},\"zzz\":{quoted}}}"), 422),
        (
            format!("{{\"value\":{quoted},\"encoding\":\"base64\"}}"),
            422,
        ),
        (
            format!("{{\"value\":\"{MARKER}=\",\"encoding\":\"base64\"}}"),
            422,
        ),
        (format!("{{\"value\":{quoted}}} {quoted}"), 400),
        (format!("[{quoted}]"), 400),
        (quoted.clone(), 400),
        (json!({ "value": "" }).to_string(), 422),
        (
            json!({ "value": "", "encoding": "base64" }).to_string(),
            422,
        ),
        (json!({ "value": long }).to_string(), 422),
        (json!({ "value": MARKER.repeat(20_000) }).to_string(), 413),
        (String::new(), 400),
        ("null".to_owned(), 400),
        ("{}".to_owned(), 422),
    ];
    for (body, status) in bodies {
        let answer = site
            .secret("PUT", "a", acme, &Value::String(body.clone()))
            .await;
        assert_eq!(answer.status, status, "{body:.60}: {}", answer.text);
        assert!(!answer.text.contains(MARKER), "{body:.60}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    for (body, status) in [
        (json!({ "length": 15 }), 422),
        (json!({ "length": 129 }), 422),
        (json!({ "length": MARKER }), 422),
        (json!({ "alphabet": MARKER }), 422),
        (json!({ "value": MARKER }), 422),
        (json!({ "length": -1 }), 422),
    ] {
        site.put("there", acme, "x").await.expect(200);
        let answer = site.secret("POST", "there/rotate", acme, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        assert!(!answer.text.contains(MARKER), "{body}: {}", answer.text);
    }
    // Nothing of it was stored.
    let names: Vec<_> = site
        .list(acme)
        .await
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["there"]);
}

#[tokio::test]
async fn the_longest_value_is_stored_in_either_encoding() {
    let site = Site::new().await;
    let acme = &site.acme;
    site.put("text", acme, &"x".repeat(65_536))
        .await
        .expect(200);
    // 65,535 bytes are 87,380 characters without padding.
    let zeros = json!({ "value": "AAAA".repeat(21_845), "encoding": "base64" });
    site.secret("PUT", "bytes", acme, &zeros).await.expect(200);
    assert_eq!(site.value(acme, "bytes").await.unwrap(), vec![0; 65_535]);
    let over = json!({ "value": "AAAA".repeat(21_846), "encoding": "base64" });
    site.secret("PUT", "bytes", acme, &over).await.expect(422);
    let text = json!({ "value": "ü\u{0}\n\u{1f600}" });
    site.secret("PUT", "odd", acme, &text).await.expect(200);
    let value = site.value(acme, "odd").await.unwrap();
    assert_eq!(value, "ü\u{0}\n\u{1f600}".as_bytes());
}

#[tokio::test]
async fn no_answer_shows_a_value() {
    let site = Site::new().await;
    let (acme, globex) = (&site.acme, &site.globex);
    let background = site.plane.start().await.unwrap();
    let mut answers = vec![site.put("a", acme, MARKER).await.expect(200)];
    let get = async |path: String| site.ask("GET", &path, acme, &Value::Null).await;
    let org = format!("/api/v1/orgs/{}", acme.org);
    for path in ["secrets", "audit?limit=100", "audit/export?format=jsonl"] {
        answers.push(get(format!("{org}/{path}")).await.expect(200));
    }
    answers.push(get("/openapi.json".to_owned()).await.expect(200));
    answers.push(get(format!("{org}/secrets/a")).await.expect(405));
    answers.push(site.put("a", acme, MARKER).await.expect(200));
    let stale = json!({ "value": MARKER, "version": 7 });
    answers.push(site.secret("PUT", "a", acme, &stale).await.expect(409));
    answers.push(
        site.secret("POST", "a/rotate", acme, &json!({}))
            .await
            .expect(200),
    );
    answers.push(site.put("A", acme, MARKER).await.expect(422));
    let path = format!("{org}/secrets/a");
    let body = json!({ "value": MARKER });
    answers.push(site.ask("PUT", &path, globex, &body).await.expect(404));
    answers.push(
        site.secret("DELETE", "a", acme, &Value::Null)
            .await
            .expect(204),
    );
    for answer in answers {
        let headers = format!("{:?}", answer.headers);
        assert!(!answer.text.contains(MARKER) && !headers.contains(MARKER));
    }
    assert!(!format!("{:?}", site.plane).contains(MARKER));
    background.stop().await.unwrap();
}
