//! A whole control plane whose tokens are signed in an engine.

use std::time::{Duration, Instant};

use cyprob::authz::domain::{KEY_LEAD, KeyPurpose, RootKeyId};
use cyprob::core::domain::Caller;
use cyprob::secrets::testkit::fault_proxy::Fault;
use serde_json::json;

use crate::engine::{Engine, FIRST, USER};
use crate::node::Node;

#[tokio::test]
async fn tokens_are_signed_in_the_engine_through_a_rotation_and_a_revocation() {
    let engine = Engine::new();
    let node = Node::new(engine.custody().await).await;
    assert_eq!(engine.keys().len(), KeyPurpose::ALL.len());

    let rings = node.plane.key_rings();
    let caller = Caller::operator();
    let plan = rings.rotate(USER, &caller, node.now()).await.unwrap();
    let second = RootKeyId::new(2);
    assert_eq!((plan.signing(), plan.next()), (FIRST, Some(second)));
    // Until a moment before it signs, the first one does.
    let moment = Duration::from_secs(1);
    node.clock.advance(KEY_LEAD - moment);
    rings.reload(node.now()).await.unwrap();
    let (status, before) = node.log_in().await;
    assert_eq!((status, node.me(&before).await), (200, 200));
    node.clock.advance(moment);
    rings.reload(node.now()).await.unwrap();
    let body = json!({ "refresh_token": before["refresh_token"] });
    let (status, after) = node.post("/api/v1/auth/refresh", body).await;
    assert_eq!((status, node.me(&after).await), (200, 200));
    assert_eq!(node.me(&before).await, 200);
    assert_eq!(engine.keys().len(), KeyPurpose::ALL.len() + 1);

    // Only what the second key signed is good then.
    let revoked = rings.revoke(USER, FIRST, &caller, node.now()).await;
    revoked.unwrap();
    assert_eq!(node.me(&before).await, 401);
    assert_eq!(node.me(&after).await, 200);

    // And of the key that signs too: another is made, and signs at once.
    rings
        .revoke(USER, second, &caller, node.now())
        .await
        .unwrap();
    assert_eq!(node.me(&after).await, 401);
    let (status, last) = node.log_in().await;
    assert_eq!((status, node.me(&last).await), (200, 200));
    assert_eq!(rings.plan(USER).signer(node.now()), RootKeyId::new(3));
}

#[tokio::test]
async fn nodes_of_one_deployment_honour_each_others_tokens() {
    use cyprob::authz::ports::KeyCustody as _;
    let engine = Engine::new();
    let (one, other) = (engine.custody().await, engine.custody().await);
    let at = crate::engine::AT;
    for purpose in KeyPurpose::ALL {
        let plan = one.plan(purpose, at).await.unwrap().plan;
        assert_eq!(other.plan(purpose, at).await.unwrap().plan, plan);
        let mine = one.signer(purpose, FIRST).await.unwrap().unwrap();
        let theirs = other.signer(purpose, FIRST).await.unwrap().unwrap();
        assert_eq!(mine.public(), theirs.public());
        // Ed25519 has one signature of a message.
        assert_eq!(
            mine.sign(b"a message").await.unwrap(),
            theirs.sign(b"a message").await.unwrap()
        );
    }
}

#[tokio::test]
async fn an_outage_signs_nobody_out_and_commits_nothing() {
    let engine = Engine::new();
    let (proxy, keys) = engine.through_patiently().await;
    let node = Node::new(keys).await;
    let (_, pair) = node.log_in().await;
    let refresh = json!({ "refresh_token": pair["refresh_token"] });
    let sealed = Fault::Status {
        code: 503,
        body: r#"{"errors":["Vault is sealed"]}"#.to_owned(),
    };
    for fault in [Fault::Refuse, Fault::Hang, sealed] {
        proxy.inject(fault.clone());
        let begun = Instant::now();
        assert_eq!(node.log_in().await.0, 503, "{fault:?}");
        let again = node.post("/api/v1/auth/refresh", refresh.clone()).await;
        assert_eq!(again.0, 503, "{fault:?}");
        assert!(begun.elapsed() < Duration::from_secs(6), "{fault:?}");
        // Verifying asks the engine for nothing.
        assert_eq!(node.me(&pair).await, 200, "{fault:?}");
        // The plans are elsewhere, so the node stays up to date.
        node.plane.key_rings().reload(node.now()).await.unwrap();
        // Were it exchanged for another, it would be refused after the grace.
        node.clock.advance(Duration::from_secs(90));
        proxy.heal();
        assert_eq!(node.log_in().await.0, 200, "{fault:?}");
    }
    let (status, pair) = node.post("/api/v1/auth/refresh", refresh).await;
    assert_eq!((status, node.me(&pair).await), (200, 200));
}

#[tokio::test]
async fn a_signature_that_is_wrong_becomes_no_token() {
    let engine = Engine::new();
    let (proxy, keys) = engine.through().await;
    let node = Node::new(keys).await;
    let path = engine.path("sign/");
    let body = r#"{"data":{"signature":"vault:v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}}"#;
    proxy.inject_on(
        &format!("/v1/{path}"),
        Fault::Status {
            code: 200,
            body: body.to_owned(),
        },
    );
    assert_eq!(node.log_in().await.0, 503);
    proxy.heal();
    let (status, pair) = node.log_in().await;
    assert_eq!((status, node.me(&pair).await), (200, 200));
}
