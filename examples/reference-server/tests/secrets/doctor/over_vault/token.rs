//! The token, and what its policies let it do with itself.

use serde_json::json;

use super::stand::{Stand, ask, make, root};

#[test]
fn a_token_that_is_as_it_should_be_is_praised_and_lives_on() {
    let stand = Stand::new();
    let token = stand.token(json!({}));
    let patient = stand.by_token(&token);
    let well = [
        "master key",
        "local store",
        "vault address",
        "environment",
        "vault login file",
        "vault server",
        "vault token",
        "vault policy",
        &format!("vault mount {}:", stand.name),
        &format!("vault mount {}-v1:", stand.name),
    ];
    let said = patient.doctor();
    said.refuses(&[]).remarks(&[]).praises(&well);
    assert_eq!(said.text.lines().count(), well.len(), "{}", said.text);
    let (status, _) = ask(&token, "GET", "auth/token/lookup-self", None, None);
    assert_eq!(status, 200);
}

#[test]
fn a_root_token_is_refused_and_so_is_its_endless_life() {
    let stand = Stand::new();
    let patient = stand.by_token(&root());
    patient.doctor().refuses(&[
        &["vault token", "policy `root`; log in by a role"],
        &["vault token", "never ends; use one with a time to live"],
    ]);
    let made = make(
        "POST",
        "auth/token/create",
        json!({"ttl": "1h", "policies": ["root"]}),
    );
    let short = made["auth"]["client_token"].as_str().unwrap();
    let policy: &[&str] = &["vault token", "policy `root`"];
    stand.by_token(short).doctor().refuses(&[policy]);
}

#[test]
fn a_token_that_lives_long_is_refused() {
    let stand = Stand::new();
    let made = make(
        "POST",
        "auth/token/create",
        json!({"ttl": "48h", "policies": [stand.name], "no_parent": true}),
    );
    let long = made["auth"]["client_token"].as_str().unwrap();
    let bound: &[&str] = &[
        "vault token",
        "longer than the bound of 86400 s; give its role a shorter term",
    ];
    stand.by_token(long).doctor().refuses(&[bound]);
}

#[test]
fn a_policy_that_lets_a_token_do_nothing_with_itself_is_refused() {
    let stand = Stand::new();
    let token = stand.token(json!({"no_default_policy": true}));
    let patient = stand.by_token(&token);
    let lacks = |path: &'static str| ["vault policy", path, "grant it"];
    let paths = ["lookup-self", "renew-self", "revoke-self"];
    let ask = "path \"sys/capabilities-self\" { capabilities = [\"update\"] }\n";
    let read = stand.may_read();
    stand.policy(&format!("{read}{ask}"));
    let all = paths.map(lacks);
    let all = all.each_ref().map(|words| &words[..]);
    patient.doctor().refuses(&all);
    for (index, path) in paths.iter().enumerate() {
        let others = paths.iter().filter(|other| *other != path);
        let granted: String = others
            .map(|path| {
                format!("path \"auth/token/{path}\" {{ capabilities = [\"read\", \"update\"] }}\n")
            })
            .collect();
        stand.policy(&format!("{read}{ask}{granted}"));
        patient.doctor().refuses(&[all[index]]);
    }
    // Nobody can tell that token from a dead one, and nobody tells what it may do.
    stand.policy(&read);
    patient.doctor().refuses(&[
        &["vault token", "does not accept the login"],
        &["vault policy", "lookup-self"],
    ]);
    let look = "path \"auth/token/lookup-self\" { capabilities = [\"read\"] }\n";
    stand.policy(&format!("{read}{look}"));
    patient
        .doctor()
        .refuses(&[])
        .remarks(&["sys/capabilities-self"]);
}

#[test]
fn a_role_whose_token_may_do_nothing_with_itself_is_refused() {
    let stand = Stand::new();
    stand.role(json!({"token_no_default_policy": true}));
    let patient = stand.by_role(&stand.secret_id(None), false);
    patient.spending().refuses(&[
        &["vault policy", "lookup-self"],
        &["vault policy", "renew-self"],
        &["vault policy", "revoke-self"],
    ]);
    stand.role(json!({"token_no_default_policy": false, "token_ttl": "48h"}));
    patient
        .spending()
        .refuses(&[&["vault token", "lives for 172800 s"]]);
}

#[test]
fn a_token_that_can_be_neither_renewed_nor_ended_is_not_praised() {
    let stand = Stand::new();
    stand.role(json!({"token_type": "batch"}));
    let patient = stand.by_role(&stand.secret_id(None), false);
    patient
        .spending()
        .refuses(&[&["vault token", "type `service`"]])
        .remarks(&["not renewable"]);
}
