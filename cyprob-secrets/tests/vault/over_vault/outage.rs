//! What an outage looks like, whatever it comes from, and that it heals.

use std::time::{Duration, Instant};

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
async fn every_fault_is_named_ends_in_time_and_heals() {
    let stand = Stand::new();
    let (proxy, vault) = stand.through(stand.given()).await;
    let kv = stand.kv(&vault);
    stand.put("a", json!({"x": "y"}));
    let data = format!("/v1/{}/data/", stand.name);
    for (fault, what) in [
        (Fault::Hang, "unavailable: no answer in time"),
        (
            Fault::Delay(Duration::from_secs(2)),
            "unavailable: no answer in time",
        ),
        (Fault::Drop, "unavailable: the connection broke off"),
        (Fault::Reset, "unavailable: the connection broke off"),
        (Fault::Truncate(20), "unavailable: the connection broke off"),
        (
            Fault::Garbage,
            "unavailable: an answer that is not what the API states",
        ),
        (
            Fault::Huge(5_000_000),
            "unavailable: an answer of more than 2097152 bytes",
        ),
        (status(429, ""), "unavailable: asked too often (429)"),
        (
            status(500, "{\"errors\":[\"1 error occurred\"]}"),
            "unavailable: status 500",
        ),
        (status(502, "<html>"), "unavailable: status 502"),
        (
            status(503, "{\"errors\":[\"Vault is sealed\"]}"),
            "unavailable: sealed, or not initialized",
        ),
        (
            status(412, ""),
            "unavailable: behind the node that was written to (412)",
        ),
        (
            status(473, ""),
            "unavailable: a standby that does not forward; name the active node or a load balancer",
        ),
        (
            status(307, ""),
            "unavailable: a standby that does not forward; name the active node or a load balancer",
        ),
        (status(400, "{\"errors\":[\"y\"]}"), "NotTaken"),
        (
            status(403, "{\"errors\":[\"permission denied\"]}"),
            "Denied",
        ),
        (status(404, "{\"errors\":[]}"), "nothing"),
        (
            status(200, ""),
            "unavailable: an answer that is not what the API states",
        ),
        (
            status(200, "{}"),
            "unavailable: an answer that is not what the API states",
        ),
        (
            status(200, "{\"data\":{\"data\":{\"x\":\"y\"}}}"),
            "unavailable: an answer that is not what the API states",
        ),
        (
            status(204, ""),
            "unavailable: an answer that is not what the API states",
        ),
    ] {
        proxy.inject_on(&data, fault.clone());
        let begun = Instant::now();
        assert_eq!(stand.said(&kv, "a#x").await, what, "{fault:?}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{fault:?}");
        proxy.heal();
        assert_eq!(stand.said(&kv, "a#x").await, "y v1", "after {fault:?}");
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
