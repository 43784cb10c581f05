//! Logins, and secret ids that are not used up.

use serde_json::json;

use super::stand::{Stand, ask, make};

#[test]
fn a_wrapped_secret_id_is_looked_at_and_stays_wrapped() {
    let stand = Stand::new();
    let wrapping = stand.secret_id(Some("5m"));
    let patient = stand.by_role(&wrapping, true);
    for said in [patient.doctor(), patient.spending(), patient.doctor()] {
        said.refuses(&[])
            .remarks(&["sign-in not tried: the wrapped secret id can be taken out once"])
            .praises(&["vault login: the secret id is wrapped"]);
    }
    let (status, held) = ask(
        &wrapping,
        "POST",
        "sys/wrapping/unwrap",
        Some(json!({})),
        None,
    );
    assert_eq!(status, 200, "{held}");
    let alarm: &[&str] = &[
        "vault login",
        "was unwrapped before",
        "find out who unwrapped it",
    ];
    patient.doctor().refuses(&[alarm]);
}

#[test]
fn a_wrapping_token_of_something_else_is_refused() {
    let stand = Stand::new();
    let (_, made) = ask(
        &super::stand::root(),
        "POST",
        "sys/wrapping/wrap",
        Some(json!({"secret_id": "a"})),
        Some("5m"),
    );
    let foreign = made["wrap_info"]["token"].as_str().unwrap();
    let alarm: &[&str] = &[
        "vault login",
        "not made by the role's own",
        "deliver a new one",
    ];
    stand.by_role(foreign, true).doctor().refuses(&[alarm]);
}

#[test]
fn a_secret_id_is_used_up_only_for_who_says_so_and_its_token_ends() {
    let stand = Stand::new();
    stand.role(json!({"secret_id_num_uses": 1}));
    let secret_id = stand.secret_id(None);
    let patient = stand.by_role(&secret_id, false);
    for _ in 0..2 {
        patient
            .doctor()
            .refuses(&[])
            .remarks(&["use up one use of the secret id"]);
    }
    patient.spending().refuses(&[]).remarks(&[]).praises(&[
        "vault login: accepted",
        "vault token",
        "vault policy",
    ]);
    let refused: &[&str] = &[
        "vault login",
        "does not accept the login",
        "issue a new secret id",
    ];
    patient.spending().refuses(&[refused]);
    // What the only sign-in gave is gone.
    let accessors = make("LIST", "auth/token/accessors", json!({}));
    let accessors = accessors["data"]["keys"].as_array().unwrap().clone();
    let ours = accessors.into_iter().filter(|accessor| {
        let body = json!({ "accessor": accessor });
        let path = "auth/token/lookup-accessor";
        let (_, seen) = ask(&super::stand::root(), "POST", path, Some(body), None);
        seen["data"]["path"] == format!("auth/{}/login", stand.name)
    });
    assert_eq!(ours.count(), 0);
}

#[test]
fn a_dead_token_in_a_file_is_refused() {
    let stand = Stand::new();
    let token = stand.token(json!({}));
    let patient = stand.by_token(&token);
    ask(
        &token,
        "POST",
        "auth/token/revoke-self",
        Some(json!({})),
        None,
    );
    patient.doctor().refuses(&[
        &["vault token", "does not accept the login"],
        &["vault policy", "lookup-self"],
    ]);
}
