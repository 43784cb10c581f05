//! Where in a Vault a secret of our own is.

use cyprob_core::domain::OrgId;

use super::VaultNamespace;
use crate::domain::{OrgSecretBase, SecretName};

/// Which names are in which namespace, and under which path.
///
/// INVARIANT: no two names have one place, and the namespace of an organization
/// holds names below its own id alone
#[derive(Clone, Debug)]
pub(super) struct Places {
    base: SecretName,
    /// Below which name each organization has a namespace of its own, if they have.
    orgs: Option<OrgSecretBase>,
}

/// A folder or a secret: a namespace below that of the connection, and what comes after the base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) namespace: Option<VaultNamespace>,
    pub(super) rest: String,
}

impl Places {
    pub(super) const fn new(base: SecretName) -> Self {
        Self { base, orgs: None }
    }

    pub(super) fn by_organization(&mut self, orgs: OrgSecretBase) {
        self.orgs = Some(orgs);
    }

    /// What every path begins with.
    pub(super) const fn base(&self) -> &SecretName {
        &self.base
    }

    /// The place of a secret.
    pub(super) fn of(&self, name: &SecretName) -> Place {
        match self.split(name.as_str()) {
            Some((org, rest)) => Place {
                namespace: Some(VaultNamespace::of(org)),
                rest: rest.to_owned(),
            },
            None => Place {
                namespace: None,
                rest: name.to_string(),
            },
        }
    }

    /// The folder of what is below a name, and what its names begin with.
    pub(super) fn below(&self, name: &SecretName) -> (Place, String) {
        let folder = format!("{name}/");
        let place = match self.split(&folder) {
            Some((org, rest)) => Place {
                namespace: Some(VaultNamespace::of(org)),
                rest: rest.to_owned(),
            },
            None => Place {
                namespace: None,
                rest: folder.clone(),
            },
        };
        (place, folder)
    }

    /// The path within the engine.
    pub(super) fn path(&self, place: &Place) -> String {
        format!("{}/{}", self.base, place.rest)
    }

    /// Whether other namespaces hold names below this one, or any if none is stated.
    pub(super) fn spans(&self, below: Option<&SecretName>) -> bool {
        let Some(orgs) = &self.orgs else { return false };
        let orgs = orgs.name();
        below.is_none_or(|below| below == orgs || orgs.is_below(below))
    }

    /// What the names of an organization begin with.
    pub(super) fn prefix(&self, org: OrgId) -> Option<String> {
        let orgs = self.orgs.as_ref()?.name();
        Some(format!("{orgs}/{org}/"))
    }

    /// Where the secrets of an organization were as long as it had no namespace.
    pub(super) fn before(&self, org: OrgId) -> Option<Place> {
        let rest = self.prefix(org)?;
        Some(Place {
            namespace: None,
            rest,
        })
    }

    /// `ORGS/ID/REST`: the id and the rest.
    fn split<'n>(&self, name: &'n str) -> Option<(OrgId, &'n str)> {
        let below = name.strip_prefix(self.orgs.as_ref()?.name().as_str())?;
        let (id, rest) = below.strip_prefix('/')?.split_once('/')?;
        let org: OrgId = id.parse().ok()?;
        // An id has one spelling; another is a name like any other.
        (org.to_string() == id).then_some((org, rest))
    }
}

impl VaultNamespace {
    /// That of an organization: its id, which never changes hands.
    pub(super) fn of(org: OrgId) -> Self {
        Self::known(org.to_string())
    }

    /// The organization whose namespace it is, if it is one's.
    pub(super) fn org(text: &str) -> Option<OrgId> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let org: OrgId = text.parse().ok()?;
        (org.to_string() == text).then_some(org)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::testkit::strategies;

    const ACME: &str = "org_0193c0ffee007000800000000000abcd";
    const GLOBEX: &str = "org_0193c0ffee007000800000000000ef01";

    fn places() -> Places {
        let mut places = Places::new("own".parse().unwrap());
        places.by_organization(OrgSecretBase::default());
        places
    }

    fn at(name: &str) -> (Option<String>, String) {
        let place = places().of(&name.parse().unwrap());
        let namespace = place.namespace.as_ref().map(ToString::to_string);
        (namespace, places().path(&place))
    }

    #[test]
    fn an_organization_has_a_namespace_and_all_else_has_none() {
        let in_acme = |path: &str| (Some(ACME.to_owned()), path.to_owned());
        assert_eq!(at(&format!("orgs/{ACME}/db/a")), in_acme("own/db/a"));
        let twice = format!("orgs/{ACME}/orgs/{GLOBEX}/a");
        assert_eq!(at(&twice), in_acme(&format!("own/orgs/{GLOBEX}/a")));
        for name in [
            format!("orgs/{ACME}"),
            format!("orgs.changes/{ACME}"),
            format!("orgs/{ACME}0/a"),
            format!("a/orgs/{ACME}/a"),
            "orgs/acme/a".to_owned(),
        ] {
            assert_eq!(at(&name), (None, format!("own/{name}")));
        }
    }

    fn names() -> impl Strategy<Value = SecretName> {
        let id = prop::sample::select(vec![ACME, GLOBEX]);
        let part = "[a-z0-9][a-z0-9._-]{0,4}";
        let text = prop_oneof![
            (id.clone(), part).prop_map(|(id, a)| format!("orgs/{id}/{a}")),
            (part, id.clone(), part).prop_map(|(a, id, b)| format!("{a}/{id}/{b}")),
            (id.clone(), id, part).prop_map(|(a, b, c)| format!("orgs/{a}/orgs/{b}/{c}")),
            part.prop_map(|a| format!("orgs/{a}")),
            strategies::hostile(),
        ];
        text.prop_filter_map("no name", |text| text.parse().ok())
    }

    proptest! {
        /// No two names have one place, and what is below a name is where its folder is.
        #[test]
        fn places_do_not_meet(names in prop::collection::vec(names(), 2..20)) {
            let mut taken: HashMap<_, SecretName> = HashMap::new();
            for name in names {
                let place = places().of(&name);
                let key = (place.namespace.as_ref().map(ToString::to_string), places().path(&place));
                let other = taken.insert(key, name.clone());
                prop_assert!(other.is_none_or(|other| other == name));
                let below = name.join("x").unwrap_or(name.clone());
                let (folder, prefix) = places().below(&name);
                if below != name {
                    let within = places().of(&below);
                    prop_assert_eq!(&within.namespace, &folder.namespace);
                    prop_assert_eq!(&within.rest, &format!("{}x", folder.rest));
                    prop_assert_eq!(below.to_string(), format!("{prefix}x"));
                }
            }
        }
    }
}
