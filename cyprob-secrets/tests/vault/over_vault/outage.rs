//! What a node that is behind, and a server that is not there, look like.

use std::time::Duration;

use cyprob_secrets::testkit::fault_proxy::Fault;
use serde_json::json;

use crate::stand::Stand;

fn status(code: u16, body: &str) -> Fault {
    Fault::Status {
        code,
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn a_node_that_is_behind_is_asked_again() {
    let stand = Stand::new();
    let (proxy, vault) = stand.through(stand.given()).await;
    let kv = stand.kv(&vault);
    stand.put("a", json!({"x": "y"}));
    let data = format!("/v1/{}/data/", stand.name);
    proxy.inject_on(&data, status(412, ""));
    let heal = async {
        tokio::time::sleep(Duration::from_millis(70)).await;
        proxy.heal();
    };
    let (read, ()) = tokio::join!(stand.said(&kv, "a#x"), heal);
    assert_eq!(read, "y v1");
}

#[tokio::test]
async fn a_dead_server_is_named_at_the_start() {
    let stand = Stand::new();
    let proxy = cyprob_secrets::testkit::fault_proxy::FaultProxy::start(stand.admin.socket())
        .await
        .unwrap();
    let address = proxy.url();
    drop(proxy);
    let dead = cyprob_secrets::adapters::vault::Vault::builder(address.parse().unwrap());
    let error = stand.open(dead.login(stand.given())).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("cannot connect: "), "{cause}");
}
