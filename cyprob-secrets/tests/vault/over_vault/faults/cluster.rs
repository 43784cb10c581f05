//! A cluster of two nodes that is read through its standby.

use std::sync::Arc;

use cyprob_secrets::adapters::vault::SecretId;
use serde_json::json;

use super::reading::{Reading, Said};
use super::{Row, Trial};
use crate::own_server::{OwnServer, Reads};
use crate::stand::Stand;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("cluster: the active node steps down", stepped_down),
        Trial::new(
            "cluster: the active node is killed, the standby reads itself",
            killed,
        ),
        Trial::new(
            "cluster: the active node is killed, the standby forwards",
            forwarding,
        ),
    ]
}

struct Cluster {
    active: OwnServer,
    standby: OwnServer,
    stand: Stand,
    /// Through the standby.
    reading: Reading,
}

impl Cluster {
    async fn start(reads: Reads) -> Self {
        let active = OwnServer::start().await;
        let standby = active.standby(reads).await;
        let stand = Stand::on(active.admin());
        let _turn = super::setting_up().await;
        stand.put("a", json!({"x": "y"}));
        let there = Stand {
            admin: standby.admin(),
            name: stand.name.clone(),
            clock: Arc::clone(&stand.clock),
        };
        let secret_id = stand.secret_id();
        // Before that a standby that reads itself knows of neither the role nor its id.
        standby.has_caught_up_with(&active).await;
        let login = stand.app_role(SecretId::Given(secret_id.into()));
        let builder = there.builder().login(login);
        let vault = there.open(builder.timeout(super::TIMEOUT)).await.unwrap();
        let kv = Arc::new(there.kv(&vault));
        let reading = Reading::of(kv, Arc::clone(&stand.clock), stand.reference("a#x"));
        assert_eq!(reading.fresh().await.0, "y");
        let cluster = Self {
            active,
            standby,
            stand,
            reading,
        };
        cluster.is_up_to_date("z").await;
        cluster
    }

    /// What the active node is told, the standby says at the next asking.
    async fn is_up_to_date(&self, value: &str) {
        self.stand.put("a", json!({ "x": value }));
        self.standby.has_caught_up_with(&self.active).await;
        let said = self.reading.after_fresh().await;
        assert_eq!(said, Said::Fresh(value.to_owned()));
    }
}

async fn stepped_down() -> Row {
    let cluster = Cluster::start(Reads::Itself).await;
    cluster.active.step_down();
    let saw = cluster.reading.until(|| cluster.standby.is_active()).await;
    cluster.reading.row(saw, "z").await
}

/// Without a majority nobody is active, and a standby says what it has.
async fn killed() -> Row {
    let mut cluster = Cluster::start(Reads::Itself).await;
    cluster.active.kill();
    for _ in 0..2 {
        let said = cluster.reading.after_fresh().await;
        assert_eq!(said, Said::Fresh("z".to_owned()));
    }
    let saw = "nothing of it: what the standby has counts as fresh".to_owned();
    cluster.active.start_again().await;
    cluster.reading.row(saw, "z").await
}

async fn forwarding() -> Row {
    let mut cluster = Cluster::start(Reads::Active).await;
    cluster.active.kill();
    let saw = cluster.reading.outage(super::proxied::STANDBY).await;
    cluster.active.start_again().await;
    cluster.reading.row(saw, "z").await
}
