//! The promises AUTHZ-2 and AUTHZ-3, and the revocation view's conformance.

use cyprob_authz::testkit;

#[test]
fn authz_2_compiled_decision_and_datalog_agree() {
    let outcomes = testkit::authz_2_compiled_decision_and_datalog_agree().unwrap();
    let total: u32 = outcomes.values().sum();
    let share = |names: &[&str]| {
        let met: u32 = names.iter().filter_map(|name| outcomes.get(name)).sum();
        100.0 * f64::from(met) / f64::from(total)
    };
    println!("AUTHZ-2: {total} cases");
    for (name, count) in &outcomes {
        println!("  {name}: {count} ({:.1} %)", share(&[name]));
    }
    // single rules are several to a kind and may be rarer than one in twenty each
    let kinds: [(&str, &[&str]); 10] = [
        ("permit", &["permit"]),
        ("an object", &["object"]),
        ("other objects", &["other_objects"]),
        ("dead", &["expired", "narrowed_time"]),
        ("elsewhere", &["foreign_organization", "no_organization"]),
        (
            "narrowed",
            &[
                "narrowed_permission",
                "narrowed_resource",
                "narrowed_address",
                "narrowed_token",
            ],
        ),
        ("not permitted", &["role_permission", "not_administrator"]),
        (
            "a condition",
            &[
                "condition_aal",
                "condition_address",
                "condition_hours",
                "condition_object",
            ],
        ),
        ("stale", &["stale_authentication"]),
        ("a use", &["use_not_taken", "spent"]),
    ];
    for (kind, names) in kinds {
        println!("{kind}: {:.1} %", share(names));
        assert!(share(names) >= 5.0, "{kind} is met too rarely");
    }
}

#[test]
fn authz_3_attenuation_never_widens() {
    let outcomes = testkit::authz_3_attenuation_never_widens().unwrap();
    let total: u32 = outcomes.values().sum();
    println!("AUTHZ-3: {total} blocks");
    for outcome in ["kept", "took", "refused"] {
        let met = outcomes.get(outcome).copied().unwrap_or(0);
        let share = 100.0 * f64::from(met) / f64::from(total);
        println!("  {outcome}: {met} ({share:.1} %)");
        assert!(share >= 5.0, "{outcome} is met too rarely");
    }
}

#[test]
fn the_revocation_view_conforms() {
    testkit::revocation_view_conforms();
}
