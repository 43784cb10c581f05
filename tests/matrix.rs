//! Who may call what: held to a committed file, and decided as declared in every cell.
#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::sync::Arc;

use cyprob::authz::adapters::read_policy;
use cyprob::authz::domain::RoleCatalog;
use cyprob::authz::http::Inventory;
use cyprob::authz::testkit::{authz_1_every_cell_is_decided_as_declared, matrix_is_committed};
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::{ControlPlane, DeploymentKeys, Stores};

/// Roles whose conditions hold for some of the callers, and for none.
const POLICY: &str = "version: 1
roles:
  near: {includes: [viewer], grants: [{permissions: [runs:create, secrets:write], when: {addresses: [10.0.0.0/8]}}]}
  far: {includes: [viewer], grants: [{permissions: [runs:create], when: {addresses: [192.0.2.0/24]}}]}
  person: {grants: [{permissions: [runs:create, secrets:write], when: {aal: 1}}]}
  strong: {grants: [{permissions: [runs:create], when: {aal: 2}}]}
";

async fn inventory() -> Inventory {
    let keys = DeploymentKeys::ephemeral(&SystemEntropy);
    let stores = Stores::memory(Arc::new(SystemEntropy));
    let plane = ControlPlane::builder().stores(stores).keys(keys);
    let (_, inventory) = cyprob::http::router(plane.build().await.unwrap()).unwrap();
    inventory
}

#[tokio::test]
async fn who_may_call_what_is_committed() {
    let matrix = inventory().await.matrix(&RoleCatalog::builtin());
    matrix_is_committed("tests/snapshots/matrix.txt", &matrix);
}

#[tokio::test]
async fn authz_1_every_cell_is_decided_as_it_is_declared() {
    let roles = read_policy(POLICY.as_bytes(), RoleCatalog::builtin()).unwrap();
    let inventory = inventory().await;
    let outcomes = authz_1_every_cell_is_decided_as_declared(&inventory, &roles).unwrap();
    let cells: u32 = outcomes.values().sum();
    println!("AUTHZ-1: {cells} cells, 0 wrong");
    for (outcome, count) in &outcomes {
        let share = 100.0 * f64::from(*count) / f64::from(cells);
        println!("  {outcome}: {count} ({share:.1} %)");
        assert!(*count > 50, "{outcome} is met too rarely");
    }
    assert_eq!(outcomes.len(), 5);
}
