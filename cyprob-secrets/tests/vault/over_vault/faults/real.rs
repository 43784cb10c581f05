//! Faults of real servers, and changes that somebody makes in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use cyprob_core::adapters::system::{NeverBack, SystemClock};
use cyprob_core::domain::Timestamp;
use cyprob_core::ports::Clock;
use cyprob_secrets::adapters::vault::SecretId;
use serde_json::json;

use super::reading::{Reading, Said};
use super::{Row, Trial};
use crate::own_server::OwnServer;
use crate::stand::Stand;

pub(super) fn trials() -> Vec<Trial> {
    let deleted = |injected: &str, below: &'static str, method: &'static str| {
        let run = move || deleted(below, method);
        Trial::new(format!("{injected}, and stored again"), run)
    };
    vec![
        Trial::new("server: sealed, and unsealed", sealed),
        Trial::new("server: killed, and started again", killed),
        Trial::new("server: a quota that is used up", rate_limited),
        Trial::new("our token revoked", token_revoked),
        Trial::new("policy taken away, and given back", policy_changed),
        deleted("secret deleted", "data/a", "DELETE"),
        deleted("secret and its history deleted", "metadata/a", "DELETE"),
        deleted("version destroyed", "destroy/a", "POST"),
        Trial::new("our role deleted, and made again", role_deleted),
        Trial::new("our role locked by refused logins", locked_out),
        Trial::new("wall clock set forward by 2 h", || clock_set(7_200)),
        Trial::new("wall clock set back by 2 h", || clock_set(-7_200)),
    ]
}

/// A stand with a secret, and who reads it.
async fn reading(stand: &Stand) -> Reading {
    reading_by(stand, stand.secret_id()).await
}

async fn reading_by(stand: &Stand, secret_id: String) -> Reading {
    let _turn = super::setting_up().await;
    stand.put("a", json!({"x": "y"}));
    let login = stand.app_role(SecretId::Given(secret_id.into()));
    let builder = stand.builder().login(login).timeout(super::TIMEOUT);
    let vault = stand.open(builder).await.unwrap();
    let kv = Arc::new(stand.kv(&vault));
    let reading = Reading::of(kv, Arc::clone(&stand.clock), stand.reference("a#x"));
    assert_eq!(reading.fresh().await.0, "y");
    reading
}

async fn sealed() -> Row {
    let server = OwnServer::start().await;
    let reading = reading(&Stand::on(server.admin())).await;
    server.seal();
    let saw = reading.outage("sealed, or not initialized").await;
    server.unseal().await;
    reading.row(saw, "y").await
}

async fn killed() -> Row {
    let mut server = OwnServer::start().await;
    let reading = reading(&Stand::on(server.admin())).await;
    server.kill();
    let saw = reading
        .outage("cannot connect: Connection refused (os error 111)")
        .await;
    server.start_again().await;
    reading.row(saw, "y").await
}

async fn rate_limited() -> Row {
    let stand = Stand::new();
    let reading = reading(&stand).await;
    let quota = format!("sys/quotas/rate-limit/{}", stand.name);
    let limit = json!({"path": format!("{}/", stand.name), "rate": 1, "interval": "1h"});
    stand.admin.make("POST", &quota, limit);
    // What the quota leaves.
    while stand
        .admin
        .ask("GET", &format!("{}/data/a", stand.name), None)
        .0
        != 429
    {}
    let saw = reading.outage("asked too often (429)").await;
    stand.admin.ask("DELETE", &quota, None);
    reading.row(saw, "y").await
}

async fn token_revoked() -> Row {
    let stand = Stand::new();
    let reading = reading(&stand).await;
    let prefix = format!("sys/leases/revoke-prefix/auth/{}", stand.name);
    stand.admin.make("POST", &prefix, json!({}));
    let said = reading.after_fresh().await;
    assert_eq!(said, Said::Fresh("y".to_owned()));
    let saw = "nothing of it: it signed in and asked again".to_owned();
    reading.row(saw, "y").await
}

async fn policy_changed() -> Row {
    let stand = Stand::new();
    let reading = reading(&stand).await;
    stand.policy("path \"nothing\" { capabilities = [\"read\"] }");
    let saw = reading.after_fresh().await.withdrawn();
    stand.policy(&stand.may_read());
    reading.row(saw, "y").await
}

async fn role_deleted() -> Row {
    let stand = Stand::new();
    let (role_id, secret_id) = (stand.role_id(), stand.secret_id());
    let reading = reading_by(&stand, secret_id.clone()).await;
    // With the role go its secret ids; its tokens are revoked beside.
    let (status, _) = stand.admin.ask("DELETE", &stand.role_path(""), None);
    assert_eq!(status, 204);
    let prefix = format!("sys/leases/revoke-prefix/auth/{}", stand.name);
    stand.admin.make("POST", &prefix, json!({}));
    let saw = reading.after_fresh().await.withdrawn();
    // The same role again, with the ids that we have.
    stand.role(json!({}));
    for (path, id) in [
        ("/role-id", json!({ "role_id": role_id })),
        ("/custom-secret-id", json!({ "secret_id": secret_id })),
    ] {
        stand.admin.make("POST", &stand.role_path(path), id);
    }
    reading.row(saw, "y").await
}

/// A server locks out whose logins it refused five times, also with what is right.
async fn locked_out() -> Row {
    let stand = Stand::new();
    let lockout = json!({"user_lockout_config": {"lockout_duration": "4s"}});
    let tune = format!("sys/auth/{}/tune", stand.name);
    stand.admin.make("POST", &tune, lockout);
    let secret_id = stand.secret_id();
    let reading = reading_by(&stand, secret_id.clone()).await;
    let ours = json!({"role_id": stand.role_id(), "secret_id": secret_id});
    let destroy = stand.role_path("/secret-id/destroy");
    stand.admin.make("POST", &destroy, ours.clone());
    let prefix = format!("sys/leases/revoke-prefix/auth/{}", stand.name);
    stand.admin.make("POST", &prefix, json!({}));
    let saw = reading.after_fresh().await.withdrawn();
    let login = format!("auth/{}/login", stand.name);
    // 400 is a wrong secret id, 403 a role that is locked.
    while stand.admin.ask("POST", &login, Some(ours.clone())).0 != 403 {
        assert_eq!(reading.said().await.withdrawn(), saw);
    }
    let again = json!({ "secret_id": secret_id });
    stand
        .admin
        .make("POST", &stand.role_path("/custom-secret-id"), again);
    assert_eq!(stand.admin.ask("POST", &login, Some(ours)).0, 403);
    reading.row(saw, "y").await
}

async fn deleted(below: &str, method: &str) -> Row {
    let stand = Stand::new();
    let reading = reading(&stand).await;
    let path = format!("{}/{below}", stand.name);
    let (status, _) = stand
        .admin
        .ask(method, &path, Some(json!({"versions": [1]})));
    assert_eq!(status, 204);
    let saw = reading.after_fresh().await.withdrawn();
    stand.put("a", json!({"x": "z"}));
    reading.row(saw, "z").await
}

/// The machine's clock with a wall clock that somebody sets.
#[derive(Debug)]
struct Settable {
    shown: NeverBack,
    set_by: AtomicI64,
    begun: Instant,
}

impl Clock for Settable {
    fn now(&self) -> Timestamp {
        let set_by = self.set_by.load(Ordering::SeqCst);
        let wall = Timestamp::from_micros(SystemClock.now().as_micros() + set_by);
        self.shown.time(wall, self.begun.elapsed())
    }
}

async fn clock_set(seconds: i64) -> Row {
    let clock = Arc::new(Settable {
        shown: NeverBack::new(),
        set_by: AtomicI64::new(0),
        begun: Instant::now(),
    });
    let mut stand = Stand::new();
    stand.clock = Arc::clone(&clock) as _;
    let reading = reading(&stand).await;
    stand.put("a", json!({"x": "z"}));
    clock.set_by.store(seconds * 1_000_000, Ordering::SeqCst);
    // Set forward, it is too old now; set back, it is so when its time is over.
    let said = match seconds > 0 {
        true => reading.said().await,
        false => reading.after_fresh().await,
    };
    assert_eq!(said, Said::Fresh("z".to_owned()));
    let saw = "nothing of it: the secret was asked for anew in time".to_owned();
    reading.row(saw, "z").await
}
