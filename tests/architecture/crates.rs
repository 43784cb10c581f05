//! Which crate may depend on which.

/// A direct dependency of a workspace member.
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) in_tests_only: bool,
}

/// Each member of the workspace, and the other members it may depend on.
const MEMBERS: [(&str, &[&str]); 9] = [
    ("cyprob-core", &[]),
    ("cyprob-authz", &["cyprob-core"]),
    ("cyprob-secrets", &["cyprob-core"]),
    ("cyprob-audit", &["cyprob-core"]),
    ("cyprob-plugins", &["cyprob-core"]),
    (
        "cyprob",
        &[
            "cyprob-core",
            "cyprob-authz",
            "cyprob-secrets",
            "cyprob-audit",
            "cyprob-plugins",
        ],
    ),
    ("cyprob-reference-server", &["cyprob"]),
    ("cyprob-benches", &["cyprob"]),
    ("cyprob-peers", &["cyprob"]),
];

/// Third parties that only one crate may know, so that they stay private to it.
const PRIVATE: [(&str, &str); 8] = [
    ("biscuit-auth", "cyprob-authz"),
    ("vaultrs", "cyprob-secrets"),
    ("aws-config", "cyprob-secrets"),
    ("aws-sdk-secretsmanager", "cyprob-secrets"),
    ("aws-sdk-sts", "cyprob-secrets"),
    ("wasmtime", "cyprob-plugins"),
    ("async-nats", "cyprob-plugins"),
    ("libyaml-rs", "cyprob-core"),
];

/// Every member is known and depends only on whom it may.
///
/// Tests may use a private third party of another crate (as an oracle), and a
/// crate its own `testkit`; the five crates know no other sibling even in tests.
pub(crate) fn rules(members: &[String], edges: &[Edge]) -> Vec<String> {
    let mut broken = Vec::new();
    for member in members {
        if !MEMBERS.iter().any(|(name, _)| name == member) {
            broken.push(format!(
                "{member}: not in the table of crates; say whom it may know"
            ));
        }
    }
    for Edge {
        from,
        to,
        in_tests_only,
    } in edges
    {
        let ours = MEMBERS.iter().any(|(name, _)| name == to);
        let itself = from == to && *in_tests_only;
        let allowed = MEMBERS
            .iter()
            .any(|(name, others)| name == from && others.contains(&to.as_str()));
        if ours && !allowed && !itself {
            broken.push(format!("{from} may not depend on {to}"));
        }
        let home = PRIVATE
            .iter()
            .find(|(name, _)| name == to)
            .map(|(_, home)| *home);
        if home.is_some_and(|home| home != from) && !in_tests_only {
            broken.push(format!("{to} is private to another crate than {from}"));
        }
    }
    broken
}

#[test]
fn forbidden_dependencies_are_found() {
    let broken = |from: &str, to: &str, in_tests_only: bool| {
        let (from, to) = (from.to_owned(), to.to_owned());
        rules(
            &[],
            &[Edge {
                from,
                to,
                in_tests_only,
            }],
        )
        .len()
    };
    assert_eq!(broken("cyprob-authz", "cyprob-core", false), 0);
    assert_eq!(broken("cyprob-authz", "cyprob-secrets", false), 1);
    assert_eq!(broken("cyprob-authz", "cyprob-secrets", true), 1);
    assert_eq!(broken("cyprob-core", "cyprob-authz", false), 1);
    assert_eq!(broken("cyprob-core", "cyprob-core", true), 0);
    assert_eq!(broken("cyprob-reference-server", "cyprob-core", false), 1);
    assert_eq!(broken("cyprob-peers", "cyprob-authz", false), 1);
    assert_eq!(broken("cyprob", "biscuit-auth", false), 1);
    assert_eq!(broken("cyprob-authz", "biscuit-auth", false), 0);
    assert_eq!(rules(&["cyprob-new".to_owned()], &[]).len(), 1);
}
