//! Reviews of an organization's roles over HTTP: opened, refused when the roles changed, signed, kept.
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

use serde_json::{Value, json};
use support::World;

const REVIEWS: &str = "/api/v1/orgs/acme/role-reviews";

#[test]
fn a_review_is_opened_refused_signed_and_compared_with_now() {
    let world = World::new("");
    let client = &world.client;
    let owner = world.member("acme", "owner").clone();
    let auditor = world.member("acme", "auditor").clone();
    let viewer = world.member("acme", "viewer").clone();
    let open = || client.call("POST", REVIEWS, Some(&auditor.token), None);
    let sign = |review: &Value, digest: &Value| {
        let path = format!("{REVIEWS}/{}/sign-off", review["id"].as_str().unwrap());
        let body = json!({ "digest": digest, "note": "looked at each of them" });
        client.post(&path, &auditor.token, &body)
    };
    let set = |role: &str| {
        let path = format!("/api/v1/orgs/acme/members/{}", viewer.id);
        let body = json!({ "role": role });
        let answer = client.call("PUT", &path, Some(&owner.token), Some(&body));
        answer.expect(200);
    };

    let first = open().expect(201).json();
    let line = |review: &Value, id: &str| {
        let mapping = review["mapping"].as_array().unwrap();
        let found = mapping.iter().find(|line| line["user"]["id"] == id);
        found.unwrap().clone()
    };
    let mapped = line(&first, &viewer.id);
    assert_eq!(mapped["role"], "viewer");
    assert_eq!(mapped["user"]["email"], viewer.email.as_str());
    assert!(mapped["last_used_at"].is_string(), "{mapped}");
    assert_eq!(first["members"], first["mapping"].as_array().unwrap().len());
    assert_eq!(first["opened_by"], auditor.id.as_str());

    set("analyst");
    let refused = sign(&first, &first["digest"]).expect(409);
    assert_eq!(refused.code(), "conflict");
    let path = format!("{REVIEWS}/{}/changes", first["id"].as_str().unwrap());
    let changes = client.get(&path, &auditor.token).expect(200).json();
    let moved = &changes["changed"][0];
    assert_eq!(
        (&moved["from"], &moved["to"]),
        (&json!("viewer"), &json!("analyst"))
    );
    assert_eq!(moved["user"]["email"], viewer.email.as_str());
    assert_eq!(
        (&changes["added"], &changes["removed"]),
        (&json!([]), &json!([]))
    );

    let second = open().expect(201).json();
    assert_ne!(second["digest"], first["digest"]);
    sign(&first, &first["digest"]).expect(404);
    sign(&second, &first["digest"]).expect(409);
    for (digest, field) in [(json!("sha256:00"), "digest"), (json!(3), "digest")] {
        let refused = sign(&second, &digest).expect(422).json();
        assert_eq!(refused["field"], field);
    }
    let signed = sign(&second, &second["digest"]).expect(200).json();
    assert_eq!(signed["signed"]["by"], auditor.id.as_str());
    assert_eq!(signed["signed"]["self_reviewed"], false);
    sign(&second, &second["digest"]).expect(409);

    // The record stays as it was signed, whatever becomes of the roles.
    let path = format!("/api/v1/orgs/acme/members/{}", viewer.id);
    client
        .call("DELETE", &path, Some(&owner.token), None)
        .expect(204);
    let path = format!("{REVIEWS}/{}", second["id"].as_str().unwrap());
    let kept = client.get(&path, &auditor.token).expect(200).json();
    assert_eq!(kept["signed"], signed["signed"]);
    let mapped = line(&kept, &viewer.id);
    assert_eq!(
        (&mapped["role"], &mapped["user"]["email"]),
        (&json!("analyst"), &Value::Null)
    );
    let changes = client.get(&format!("{path}/changes"), &auditor.token);
    let changes = changes.expect(200).json();
    assert_eq!(changes["removed"][0]["user"]["id"], viewer.id.as_str());
    let list = client.get(REVIEWS, &auditor.token).expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0], signed);
}
