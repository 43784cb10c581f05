//! Which parts of a program may read which secrets.

use std::collections::HashMap;

use cyprob_core::domain::audit::Actor;
use cyprob_core::domain::{ServiceAccountId, UserId};
use foldhash::quality::RandomState;

use crate::domain::SecretRef;
use crate::ports::SecretAccess;

/// Whom secrets are granted to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grantee {
    /// A part of the program, by the name in [`Actor::System`].
    System(String),
    /// A service account, whatever its key.
    Service(ServiceAccountId),
    /// A person, whatever the session.
    User(UserId),
}

/// A list of who may read which secrets; whoever is not on it may read none.
///
/// A grant names one secret, and covers every version of it unless it names one.
/// A worker and an operator have none: they act through a part of the program.
///
/// ```
/// use cyprob_core::domain::audit::Actor;
/// use cyprob_secrets::adapters::grants::{Grantee, SecretGrants};
/// use cyprob_secrets::ports::SecretAccess as _;
///
/// let password = "vault://kv/mail#password".parse().unwrap();
/// let grants = SecretGrants::new().allow(Grantee::System("mailer".to_owned()), &password);
/// assert!(grants.may_read(&Actor::system("mailer"), &password));
/// assert!(!grants.may_read(&Actor::system("exporter"), &password));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SecretGrants {
    granted: HashMap<SecretRef, Vec<Grantee>, RandomState>,
}

impl SecretGrants {
    /// Grants nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Grants a secret.
    #[must_use]
    pub fn allow(mut self, to: Grantee, secret: &SecretRef) -> Self {
        self.granted.entry(secret.clone()).or_default().push(to);
        self
    }
}

impl SecretAccess for SecretGrants {
    fn may_read(&self, actor: &Actor, reference: &SecretRef) -> bool {
        let granted = |secret: &SecretRef| {
            let to = self.granted.get(secret);
            to.is_some_and(|to| to.iter().any(|to| to.is(actor)))
        };
        granted(reference) || reference.any_version().is_some_and(|any| granted(&any))
    }
}

impl Grantee {
    fn is(&self, actor: &Actor) -> bool {
        match (self, actor) {
            (Self::System(name), Actor::System { id }) => name == id,
            (Self::Service(account), Actor::Service { id, .. }) => account == id,
            (Self::User(user), Actor::User { id, .. }) => user == id,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_THIS: &[&str] = &[
        "vault://kv/a#b",
        "awssm://a#b",
        "local://a",
        "file:///a",
        "env://A",
    ];
    const VERSIONS: &[(&str, &str)] = &[
        ("vault://kv/a#b?version=2", "vault://kv/a#b"),
        ("awssm://a#b?stage=AWSPREVIOUS", "awssm://a#b"),
        (
            "awssm://a#b?version=0193c0ff-ee00-7000-8000-000000000001",
            "awssm://a#b",
        ),
        ("local://a?version=3", "local://a"),
    ];

    fn secret(text: &str) -> SecretRef {
        text.parse().unwrap()
    }

    fn mailer() -> Grantee {
        Grantee::System("mailer".to_owned())
    }

    #[test]
    fn a_grant_covers_the_secret_and_its_versions_and_nothing_else() {
        for granted in OF_THIS {
            let grants = SecretGrants::new().allow(mailer(), &secret(granted));
            let may = |who: &str, text| grants.may_read(&Actor::system(who), &secret(text));
            for other in OF_THIS {
                assert_eq!(may("mailer", other), granted == other, "{granted} {other}");
                assert!(!may("other", other));
            }
            for (version, of) in VERSIONS {
                assert_eq!(may("mailer", version), granted == of, "{granted} {version}");
            }
        }
    }

    #[test]
    fn a_grant_of_a_version_covers_that_one() {
        for (version, of) in VERSIONS {
            let grants = SecretGrants::new().allow(mailer(), &secret(version));
            assert!(grants.may_read(&Actor::system("mailer"), &secret(version)));
            assert!(!grants.may_read(&Actor::system("mailer"), &secret(of)));
        }
    }

    #[test]
    fn who_has_no_name_of_a_part_has_none_of_its_grants() {
        let grants = SecretGrants::new().allow(mailer(), &secret("local://a"));
        for actor in [Actor::Operator, Actor::Anonymous] {
            assert!(!grants.may_read(&actor, &secret("local://a")));
        }
    }
}
