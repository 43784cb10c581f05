//! The committed matrix: what a change opens is told, cell by cell.

use cyprob_authz::domain::policy::{Condition, Grant, Rights};
use cyprob_authz::domain::{Permission, PermissionSet, RoleCatalog};
use cyprob_core::domain::Aal;

use crate::support::Site;

fn desk(permissions: &[Permission], aal: Option<Aal>) -> RoleCatalog {
    let grant = Grant {
        permissions: PermissionSet::of(permissions),
        when: Condition {
            aal,
            ..Condition::default()
        },
    };
    let rights = Rights::compile([grant]);
    let catalog = RoleCatalog::builtin();
    catalog.with_role("desk".parse().unwrap(), rights).unwrap()
}

#[test]
fn a_change_that_opens_a_cell_is_told_with_its_cells() {
    let inventory = Site::new().inventory;
    let matrix = |permissions: &[Permission], aal| inventory.matrix(&desk(permissions, aal));
    let reads = matrix(&[Permission::RunsRead], None);
    let snapshot = reads.to_snapshot();
    assert!(reads.changes_since(&snapshot).is_empty());

    let creates = matrix(
        &[Permission::RunsRead, Permission::RunsCreate],
        Some(Aal::Two),
    );
    let changes = creates.changes_since(&snapshot);
    println!("{changes}");
    let told = changes.to_string();
    let first = told.lines().next().unwrap();
    assert_eq!(
        first,
        "this change opens 1 cell, closes 2 and has 0 answer otherwise"
    );
    let opened = changes.opened.first().unwrap();
    assert_eq!(opened.from.as_deref(), Some("403"));
    assert_eq!(opened.to.as_deref(), Some("if signed in with two factors"));

    // Another condition may let in others.
    let weaker = matrix(
        &[Permission::RunsRead, Permission::RunsCreate],
        Some(Aal::One),
    );
    let changes = weaker.changes_since(&creates.to_snapshot());
    assert_eq!((changes.opened.len(), changes.closed.len()), (3, 0));

    // A new role opens its cells, and one that goes closes them.
    let builtin = inventory.matrix(&RoleCatalog::builtin());
    let added = reads.changes_since(&builtin.to_snapshot());
    assert!(
        added
            .opened
            .iter()
            .all(|change| change.cell.contains("| desk |"))
    );
    let gone = builtin.changes_since(&snapshot);
    assert_eq!(added.opened.len(), gone.closed.len());
}
