//! Roles of a deployment: what they come to, and what two policies differ in.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

use cyprob_authz::domain::policy::{
    Circumstances, Condition, Difference, FaultKind, Findings, Grant, Hours, Object, Placed,
    Rights, RoleSource,
};
use cyprob_authz::domain::{Permission, PermissionSet, RoleCatalog};
use cyprob_authz::testkit::{circumstances, grants};
use cyprob_core::domain::{Aal, Position, RoleName, Tag};
use proptest::prelude::*;
use proptest::sample::subsequence;

const READS: PermissionSet = PermissionSet::of(&[Permission::RunsRead]);
const RUNS: PermissionSet = PermissionSet::of(&[Permission::RunsRead, Permission::RunsCreate]);

fn name(text: &str) -> RoleName {
    text.parse().unwrap()
}

fn placed<T>(line: usize, it: T) -> Placed<T> {
    let at = Position { line, column: 1 };
    Placed { at, it }
}

fn when(addresses: &[&str]) -> Condition {
    Condition {
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        ..Condition::default()
    }
}

/// A role in three lines and more: its name on the first, what it includes on those after, then its grants.
fn role(
    line: usize,
    text: &str,
    includes: &[&str],
    grants: &[(PermissionSet, Condition)],
) -> RoleSource {
    let includes = includes.iter().enumerate();
    let first = line + 1 + includes.len();
    let grants = grants.iter().cloned().enumerate();
    RoleSource {
        name: placed(line, name(text)),
        includes: includes
            .map(|(number, text)| placed(line + 1 + number, name(text)))
            .collect(),
        grants: grants
            .map(|(number, (permissions, when))| {
                placed(first + number, Grant { permissions, when })
            })
            .collect(),
    }
}

fn faults(roles: &[RoleSource]) -> Vec<(usize, FaultKind)> {
    let refused = RoleCatalog::builtin().with_policy(roles).unwrap_err();
    let told = refused.0.into_iter();
    told.map(|fault| (fault.at.line, fault.kind)).collect()
}

#[test]
fn a_role_has_what_it_includes_however_they_are_ordered() {
    let office = when(&["10.0.0.0/8"]);
    let roles = [
        role(1, "night", &["desk", "auditor"], &[]),
        role(10, "desk", &["viewer"], &[(RUNS, office.clone())]),
    ];
    let catalog = RoleCatalog::builtin().with_policy(&roles).unwrap();
    let night = catalog.rights(&name("night"));
    let auditor = catalog.rights(&RoleName::AUDITOR).always();
    assert_eq!(night.always(), auditor);
    assert_eq!(night.at_most().minus(auditor), RUNS.minus(READS));
    let [grant] = night.conditional() else {
        panic!("{night:?}");
    };
    assert_eq!(grant.when, office);
    let able: Vec<_> = catalog
        .who_can(Permission::RunsCreate)
        .into_iter()
        .map(|role| role.name.as_str())
        .collect();
    assert_eq!(
        able,
        ["owner", "admin", "operator", "analyst", "desk", "night"]
    );
}

#[test]
fn every_fault_is_told_with_its_place() {
    let none = Condition::default;
    let strong = Condition {
        aal: Some(Aal::Two),
        ..none()
    };
    assert_eq!(
        faults(&[
            role(1, "viewer", &[], &[(READS, none())]),
            role(10, "desk", &["nobody"], &[(READS, none())]),
            role(20, "desk", &[], &[(READS, none())]),
            role(30, "one", &["two"], &[]),
            role(40, "two", &["three", "desk"], &[]),
            role(50, "three", &["one"], &[]),
            role(60, "self", &["self"], &[]),
            // Given by the first, given by the included role, given to nobody.
            role(
                70,
                "idle",
                &["viewer"],
                &[
                    (RUNS, strong.clone()),
                    (RUNS.minus(READS), strong),
                    (READS, when(&["192.0.2.0/24"])),
                    (RUNS, when(&["::ffff:10.0.0.0/104"])),
                ]
            ),
            // The two halves are the whole.
            role(
                80,
                "halves",
                &[],
                &[
                    (RUNS, when(&["10.0.0.0/9"])),
                    (RUNS, when(&["10.128.0.0/9"])),
                    (READS, when(&["10.0.0.0/8"])),
                ]
            ),
        ]),
        [
            (1, FaultKind::Taken(name("viewer"))),
            (11, FaultKind::UnknownRole(name("nobody"))),
            (20, FaultKind::Taken(name("desk"))),
            (
                51,
                FaultKind::Cycle(vec![name("one"), name("two"), name("three")])
            ),
            (61, FaultKind::Cycle(vec![name("self")])),
            (73, FaultKind::Unreachable),
            (74, FaultKind::Unreachable),
            (75, FaultKind::Contradiction),
            (83, FaultKind::Unreachable),
        ],
    );
}

#[test]
fn more_conditions_than_are_looked_at_are_refused() {
    let many: Vec<_> = (0..=Rights::MOST_CONDITIONS)
        .map(|number| (RUNS, when(&[&format!("10.{number}.0.0/16")])))
        .collect();
    let count = Rights::MOST_CONDITIONS + 1;
    assert_eq!(
        faults(&[role(1, "desk", &[], &many)]),
        [(1, FaultKind::TooManyConditions(name("desk"), count))]
    );
    let fit = many.get(1..).unwrap();
    let catalog = RoleCatalog::builtin();
    assert!(catalog.with_policy(&[role(1, "desk", &[], fit)]).is_ok());
}

#[test]
fn what_always_holds_counts_as_such_however_it_is_written() {
    let hours = |windows: &[&str]| Condition {
        hours: Hours::new(windows.iter().map(|text| text.parse().unwrap())).ok(),
        ..Condition::default()
    };
    let week = (RUNS, hours(&["mon-fri 00:00-24:00"]));
    let weekend = (RUNS, hours(&["sat,sun 00:00-24:00"]));
    let split = [role(1, "desk", &[], &[week, weekend])];
    let split = RoleCatalog::builtin().with_policy(&split).unwrap();
    let rights = split.rights(&name("desk"));
    assert_eq!(rights.always(), RUNS);
    assert!(rights.conditional().is_empty());
    let plain = [role(1, "desk", &[], &[(RUNS, Condition::default())])];
    let plain = RoleCatalog::builtin().with_policy(&plain).unwrap();
    assert_eq!(rights, plain.rights(&name("desk")));
}

#[test]
fn names_that_the_matrix_has_for_others_are_taken() {
    for text in [
        "anonymous",
        "administrator",
        "no_organization",
        "service_account",
        "worker",
    ] {
        let catalog = RoleCatalog::builtin();
        assert!(catalog.with_role(name(text), READS.into()).is_err());
        let told = faults(&[role(1, text, &[], &[(READS, Condition::default())])]);
        assert_eq!(told, [(1, FaultKind::Taken(name(text)))]);
    }
}

#[test]
fn a_difference_says_what_opens_and_when() {
    let policy = |ranges: &[&str]| {
        let roles = [role(1, "desk", &[], &[(READS, when(ranges))])];
        RoleCatalog::builtin().with_policy(&roles).unwrap()
    };
    let halves = policy(&["10.0.0.0/9", "10.128.0.0/9"]);
    let whole = policy(&["10.0.0.0/8"]);
    assert!(Difference::between(&halves, &whole).is_empty());
    let wider = Difference::between(&whole, &policy(&["8.0.0.0/5"]));
    assert_eq!(
        wider.to_string(),
        "opens runs:read for desk: a service account, from 8.0.0.0, on mon at 00:00\n"
    );
    let moved = Difference::between(&whole, &policy(&["11.0.0.0/8"]));
    assert_eq!((moved.opened.len(), moved.closed.len()), (1, 1));
}

fn of(own: bool, tags: &[&str]) -> Condition {
    Condition {
        own,
        tags: tags.iter().map(|text| text.parse().unwrap()).collect(),
        ..Condition::default()
    }
}

#[test]
fn what_is_permitted_of_some_objects_is_never_permitted_always() {
    let all_but_none = [(RUNS, of(true, &[])), (READS, of(false, &["a", "b"]))];
    let roles = [role(1, "desk", &[], &all_but_none)];
    let catalog = RoleCatalog::builtin().with_policy(&roles).unwrap();
    let rights = catalog.rights(&name("desk"));
    assert!(rights.always().is_empty());
    assert_eq!((rights.at_most(), rights.always_of_some()), (RUNS, RUNS));
    let late = (
        RUNS,
        Condition {
            aal: Some(Aal::Two),
            ..of(true, &[])
        },
    );
    let late = RoleCatalog::builtin().with_policy(&[role(1, "late", &[], &[late])]);
    assert!(
        late.unwrap()
            .rights(&name("late"))
            .always_of_some()
            .is_empty()
    );
}

#[test]
fn a_difference_tells_of_objects() {
    let policy = |conditions: &[Condition]| {
        let grants: Vec<_> = conditions
            .iter()
            .map(|when| (READS, when.clone()))
            .collect();
        RoleCatalog::builtin()
            .with_policy(&[role(1, "desk", &[], &grants)])
            .unwrap()
    };
    let before = policy(&[of(false, &["a"]), of(true, &["b"])]);
    let after = policy(&[of(false, &["a", "b"])]);
    let wider = Difference::between(&before, &after);
    assert!(wider.closed.is_empty());
    assert_eq!(
        wider.to_string(),
        "opens runs:read for desk: a service account, from an unknown address, on mon at 00:00, \
         of another's object tagged b\n"
    );
    let desk = name("desk");
    assert!(after.rights(&desk).covers(before.rights(&desk)));
    assert!(!before.rights(&desk).covers(after.rights(&desk)));
    // All objects of one's own are not all requests.
    let own = policy(&[of(true, &[])]);
    let all = policy(&[Condition::default()]);
    let opened = Difference::between(&own, &all).opened;
    assert_eq!(opened[0].example.object, None);
}

#[test]
fn findings_name_what_is_odd() {
    let catalog = RoleCatalog::builtin();
    let narrow = catalog.with_role(name("reader"), READS.into()).unwrap();
    let all = PermissionSet::all();
    let found = Findings::of(&narrow, all);
    assert!(found.unused.is_empty());
    let reader: Vec<_> = found
        .subsumed
        .iter()
        .filter(|(narrow, _)| *narrow == name("reader"))
        .map(|(_, wide)| wide.as_str())
        .collect();
    assert_eq!(reader, ["operator", "analyst", "auditor", "viewer"]);
    assert!(found.never_granted.contains(Permission::MembersWrite));
    assert_eq!(Findings::of(&narrow, READS).unused, all.minus(READS));
}

fn with(grants: &[Grant]) -> RoleCatalog {
    let rights = Rights::compile(grants.iter().cloned());
    RoleCatalog::builtin()
        .with_role(name("desk"), rights)
        .unwrap()
}

proptest! {
    #[test]
    fn a_difference_is_exact(first in grants(), second in grants(), now in circumstances()) {
        let (first, second) = (with(&first), with(&second));
        let [before, after] = [&first, &second].map(|catalog| catalog.rights(&name("desk")));
        let difference = Difference::between(&first, &second);
        let cells = |changes: &[cyprob_authz::domain::policy::Change]| -> PermissionSet {
            changes.iter().map(|change| change.permission).collect()
        };
        // Whatever differs now is told.
        let opened = after.now(&now).minus(before.now(&now));
        prop_assert!(cells(&difference.opened).is_superset(opened));
        let closed = before.now(&now).minus(after.now(&now));
        prop_assert!(cells(&difference.closed).is_superset(closed));
        // Whatever is told differs in its example.
        for change in &difference.opened {
            prop_assert!(before.objection(change.permission, &change.example).is_some());
            prop_assert!(after.objection(change.permission, &change.example).is_none());
        }
        for change in &difference.closed {
            prop_assert!(before.objection(change.permission, &change.example).is_none());
            prop_assert!(after.objection(change.permission, &change.example).is_some());
        }
    }

    #[test]
    fn a_scope_has_what_is_permitted_of_each_object(
        grants in grants(),
        now in circumstances(),
        own in any::<bool>(),
        tags in subsequence(vec!["web", "team:web", "team:web/2", "other"], 0..=4),
    ) {
        let rights = Rights::compile(grants);
        let tags: Vec<Tag> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
        let about = |tag: Option<&Tag>| Circumstances {
            object: Some(Object { own, tag: tag.cloned() }),
            ..now.clone()
        };
        // An object of several tags is permitted if one of them alone makes it so, or none.
        let each = [None].into_iter().chain(tags.iter().map(Some));
        let permitted = each.fold(PermissionSet::EMPTY, |all, tag| all.or(rights.now(&about(tag))));
        for permission in Permission::ALL {
            let scope = rights.scope(*permission, &now);
            prop_assert_eq!(scope.admits(own, &tags), permitted.contains(*permission));
            let refused = rights.objection_to_all(*permission, &now).is_some();
            prop_assert_eq!(scope.is_nothing(), refused);
            let always = rights.always().contains(*permission);
            prop_assert!(!always || scope.is_all());
            prop_assert!(!rights.always_of_some().contains(*permission) || !refused);
        }
    }

    #[test]
    fn what_is_permitted_now_has_no_objection(grants in grants(), now in circumstances()) {
        let rights = Rights::compile(grants.iter().cloned());
        let permitted = rights.now(&now);
        prop_assert!(permitted.is_superset(rights.always()));
        prop_assert!(rights.at_most().is_superset(permitted));
        for permission in Permission::ALL {
            let objection = rights.objection(*permission, &now);
            prop_assert_eq!(objection.is_none(), permitted.contains(*permission));
            // As each grant says it by itself.
            let given = grants.iter().any(|grant| {
                grant.permissions.contains(*permission) && grant.when.holds(&now)
            });
            prop_assert_eq!(given, permitted.contains(*permission));
        }
    }

    #[test]
    fn an_idle_grant_is_found_and_no_other(grants in grants()) {
        let written: Vec<_> = grants.iter().cloned().map(|it| (it.permissions, it.when)).collect();
        let source = role(1, "desk", &[], &written);
        let idle: Vec<usize> = match RoleCatalog::builtin().with_policy(&[source]) {
            Ok(_) => Vec::new(),
            Err(refused) => refused.0.iter().map(|fault| fault.at.line - 2).collect(),
        };
        let without = |left: &dyn Fn(usize) -> bool| -> Vec<Grant> {
            let grants = grants.iter().cloned().enumerate();
            grants.filter(|(number, _)| left(*number)).map(|(_, grant)| grant).collect()
        };
        let useful = without(&|number| !idle.contains(&number));
        prop_assert!(Difference::between(&with(&grants), &with(&useful)).is_empty());
        for number in (0..grants.len()).filter(|number| !idle.contains(number)) {
            let fewer = without(&|other| other != number && !idle.contains(&other));
            prop_assert!(!Difference::between(&with(&useful), &with(&fewer)).is_empty());
        }
    }
}
