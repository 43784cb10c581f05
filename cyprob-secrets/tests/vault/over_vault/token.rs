//! The connection's own token: renewed, taken anew, and never longer than it lives.

use std::time::Duration;

use cyprob_secrets::adapters::vault::VaultError;
use cyprob_secrets::testkit::fault_proxy::Fault;
use serde_json::json;

use crate::stand::{Stand, until};

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_taken_anew_at_the_end_of_renewing() {
    let stand = Stand::new();
    stand.role(json!({"token_ttl": "2s", "token_max_ttl": "6s"}));
    let (proxy, vault) = stand
        .through_within(stand.given(), Duration::from_secs(3))
        .await;
    let kv = stand.kv(&vault);
    stand.put("a", json!({"x": "y"}));
    let logins = || proxy.requests_to(&format!("/v1/auth/{}/login", stand.name));
    assert_eq!(logins(), 1);
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(9) {
        assert_eq!(stand.said(&kv, "a#x").await, "y v1");
        assert!(vault.standing().logged_in);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let renewals = proxy.requests_to("/v1/auth/token/renew-self");
    assert!(renewals >= 3, "renewed {renewals} times");
    assert!((2..=5).contains(&logins()), "logged in {} times", logins());
}

#[tokio::test]
async fn a_token_revoked_under_us_costs_nobody_a_read() {
    let stand = Stand::new();
    let (proxy, vault) = stand.through(stand.given()).await;
    let kv = stand.kv(&vault);
    stand.put("a", json!({"x": "y"}));
    for revoked in 0..3 {
        let mut reads = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (kv, reference) = (kv.clone(), stand.reference("a#x"));
            reads.spawn(async move {
                use cyprob_secrets::ports::SecretProvider as _;
                crate::stand::said(&kv.read(&reference).await)
            });
        }
        while let Some(read) = reads.join_next().await {
            assert_eq!(read.unwrap(), "y v1");
        }
        // however many noticed it, one logged in
        let logins = proxy.requests_to(&format!("/v1/auth/{}/login", stand.name));
        assert_eq!(logins, 1 + revoked);
        // of all tokens that the role gave
        let prefix = format!("sys/leases/revoke-prefix/auth/{}", stand.name);
        stand.admin.make("POST", &prefix, json!({}));
    }
}

#[tokio::test]
async fn a_role_that_is_gone_withdraws_what_was_read_and_heals_by_itself() {
    let stand = Stand::new();
    let (_proxy, vault) = stand.through(stand.given()).await;
    let kv = stand.kv(&vault);
    stand.put("a", json!({"x": "y"}));
    assert_eq!(stand.said(&kv, "a#x").await, "y v1");
    let role_id = stand.role_id();
    stand.admin.make("DELETE", &stand.role_path(""), json!({}));
    let prefix = format!("sys/leases/revoke-prefix/auth/{}", stand.name);
    stand.admin.make("POST", &prefix, json!({}));
    assert_eq!(stand.said(&kv, "a#x").await, "NoLogin");
    assert!(vault.standing().refusal.is_some() && !vault.standing().logged_in);
    // the operator makes it again, with the ids it had
    stand.role(json!({}));
    stand.admin.make(
        "POST",
        &stand.role_path("/role-id"),
        json!({"role_id": role_id}),
    );
    // its secret id went with it, so this connection stays out; a new one gets in
    assert_eq!(stand.said(&kv, "a#x").await, "NoLogin");
    let again = stand.kv(&stand.connect(stand.given()).await.unwrap());
    assert_eq!(stand.said(&again, "a#x").await, "y v1");
}

#[tokio::test]
async fn an_outage_of_renewing_is_retried_until_it_heals() {
    use cyprob_secrets::testkit::fault_proxy::Fault;
    let stand = Stand::new();
    stand.role(json!({"token_ttl": "3s"}));
    let (proxy, vault) = stand.through(stand.given()).await;
    let kv = stand.kv(&vault);
    stand.put("a", json!({"x": "y"}));
    proxy.inject_on(
        "/v1/auth/",
        Fault::Status {
            code: 500,
            body: String::new(),
        },
    );
    tokio::time::sleep(Duration::from_secs(4)).await;
    // past its end it is not used, though the server might take it yet
    assert!(!vault.standing().logged_in);
    let read = stand.said(&kv, "a#x").await;
    assert_eq!(read, "unavailable: status 500");
    proxy.heal();
    until("it logged in again", || async {
        vault.standing().logged_in
    })
    .await;
    assert_eq!(stand.said(&kv, "a#x").await, "y v1");
}

#[tokio::test]
async fn a_token_that_may_not_look_at_itself_is_not_replaced_at_each_denied_read() {
    let stand = Stand::new();
    stand.role(json!({"token_no_default_policy": true}));
    let (proxy, vault) = stand.through(stand.given()).await;
    let kv = stand.kv(&vault);
    stand.put("a", json!({"x": "y"}));
    stand.policy("path \"nothing\" { capabilities = [\"read\"] }");
    for _ in 0..10 {
        assert_eq!(stand.said(&kv, "a#x").await, "Denied");
    }
    let logins = proxy.requests_to(&format!("/v1/auth/{}/login", stand.name));
    assert_eq!(logins, 2);
    stand.policy(&stand.may_read());
    assert_eq!(stand.said(&kv, "a#x").await, "y v1");
}

#[tokio::test]
async fn a_denial_is_no_outage_whatever_becomes_of_the_look_at_the_token() {
    let stand = Stand::new();
    stand.put("a", json!({"x": "y"}));
    let (proxy, vault) = stand.through(stand.given()).await;
    let kv = stand.kv(&vault);
    assert_eq!(stand.said(&kv, "a#x").await, "y v1");
    stand.policy("# nothing");
    let busy = Fault::Status {
        code: 429,
        body: String::new(),
    };
    for fault in [Fault::Reset, busy] {
        proxy.inject_on("/v1/auth/token/lookup-self", fault);
        assert_eq!(stand.said(&kv, "a#x").await, "Denied");
    }
}

#[tokio::test]
async fn who_logged_out_stays_so_until_the_next_use() {
    let stand = Stand::new();
    stand.put("a", json!({"x": "y"}));
    let (proxy, vault) = stand.through(stand.given()).await;
    let kv = stand.kv(&vault);
    vault.log_out().await.unwrap();
    let asked = proxy.requests();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(proxy.requests(), asked, "nobody logs in for nobody");
    assert!(!vault.standing().logged_in);
    assert_eq!(stand.said(&kv, "a#x").await, "y v1");
    assert!(vault.standing().logged_in);
}

#[tokio::test]
async fn a_renewal_on_its_way_does_not_undo_a_log_out() {
    let stand = Stand::new();
    stand.role(json!({"token_ttl": "3s", "token_max_ttl": "1h"}));
    let (proxy, vault) = stand.through(stand.given()).await;
    proxy.inject_on(
        "/v1/auth/token/renew-self",
        Fault::Delay(Duration::from_millis(300)),
    );
    let renewals = || proxy.requests_to("/v1/auth/token/renew-self");
    until("a renewal is on its way", || async { renewals() == 1 }).await;
    vault.log_out().await.unwrap();
    let asked = proxy.requests();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(proxy.requests(), asked, "nobody renews what has ended");
    assert!(!vault.standing().logged_in);
}

#[tokio::test]
async fn a_token_that_may_not_end_itself_is_reported() {
    let stand = Stand::new();
    stand.role(json!({"token_no_default_policy": true}));
    let vault = stand.connect(stand.given()).await.unwrap();
    assert!(matches!(vault.log_out().await, Err(VaultError::NotEnded)));
}
