//! References that an organization writes.

use std::str::FromStr;

use cyprob_core::domain::OrgId;

use super::reference::{RefFault, RefPart, check_text, segments};
use super::{LocalRef, SecretName, SecretRef, SecretRefError};

/// A secret as its organization names it: a name below the organization's own prefix.
///
/// An organization never writes a scheme, mount, file or variable, only a
/// relative name; what stands before it is the organization's id (not its
/// slug, which can change hands). So nothing it writes can name another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrgSecretPath {
    org: OrgId,
    name: SecretName,
}

/// The place in a store below which organizations have their secrets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrgSecretBase(SecretName);

impl OrgSecretPath {
    /// The most bytes of the written name: it leaves room for base and id.
    pub const MAX_LEN: usize = 96;

    /// Reads what an organization wrote.
    ///
    /// # Errors
    ///
    /// [`SecretRefError`] if it is not a relative [`SecretName`] of at most
    /// [`Self::MAX_LEN`] bytes.
    pub fn parse(org: OrgId, written: &str) -> Result<Self, SecretRefError> {
        check_text(RefPart::Name, written, Self::MAX_LEN)?;
        let name = written.parse()?;
        Ok(Self { org, name })
    }

    /// Whose secret it is.
    #[must_use]
    pub fn org(&self) -> OrgId {
        self.org
    }

    /// The name within the organization.
    #[must_use]
    pub fn name(&self) -> &SecretName {
        &self.name
    }

    /// The deployment's reference: `local://<base>/<org id>/<name>`.
    ///
    /// # Errors
    ///
    /// [`SecretRefError`] never in practice: the bounds of base, id and name
    /// add up to less than a name's.
    pub fn resolve(&self, base: &OrgSecretBase) -> Result<SecretRef, SecretRefError> {
        let name = self.stored_name(base)?;
        Ok(SecretRef::Local(LocalRef::new(name, None)))
    }

    /// The name in the deployment's store.
    pub(crate) fn stored_name(&self, base: &OrgSecretBase) -> Result<SecretName, SecretRefError> {
        base.of(self.org)?.join(self.name.as_str())
    }
}

impl OrgSecretBase {
    /// The most bytes of a base.
    pub const MAX_LEN: usize = 64;

    /// The name itself.
    #[cfg(feature = "vault")]
    pub(crate) const fn name(&self) -> &SecretName {
        &self.0
    }

    /// The name below which an organization's secrets are.
    pub(crate) fn of(&self, org: OrgId) -> Result<SecretName, SecretRefError> {
        self.0.join(&org.to_string())
    }

    /// The name below which the changes that are under way are noted, an organization each.
    ///
    /// No organization's secret is there: those are below the base itself.
    pub(crate) fn changes(&self) -> Result<SecretName, SecretRefError> {
        format!("{}.changes", self.0).parse()
    }
}

impl Default for OrgSecretBase {
    /// The base `orgs`.
    fn default() -> Self {
        Self(SecretName::known("orgs"))
    }
}

impl FromStr for OrgSecretBase {
    type Err = SecretRefError;

    /// Reads the name of the base, one segment of at most 64 bytes.
    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        check_text(RefPart::Name, text, Self::MAX_LEN)?;
        segments(RefPart::Name, text, |_| true)?;
        if text.contains('/') {
            return Err(SecretRefError::new(RefPart::Name, RefFault::BadCharacter));
        }
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORG: &str = "org_0193c0ffee007000800000000000abcd";

    #[test]
    fn it_resolves_below_the_organization() {
        let base: OrgSecretBase = "orgs".parse().unwrap();
        let path = OrgSecretPath::parse(ORG.parse().unwrap(), "db/password").unwrap();
        let resolved = path.resolve(&base).unwrap().to_string();
        assert_eq!(resolved, format!("local://orgs/{ORG}/db/password"));
    }

    #[test]
    fn the_longest_parts_still_fit() {
        let base: OrgSecretBase = "b".repeat(OrgSecretBase::MAX_LEN).parse().unwrap();
        let name = "n".repeat(OrgSecretPath::MAX_LEN);
        let path = OrgSecretPath::parse(ORG.parse().unwrap(), &name).unwrap();
        path.resolve(&base).unwrap();
    }

    #[test]
    fn nothing_but_a_relative_name_is_accepted() {
        for bad in [
            "env://HOME",
            "file:///etc/shadow",
            "local://x",
            "/x",
            "../org_b/x",
            "a/../../b",
            "a?version=1",
            "a#b",
            "a%2f..",
            "",
            "x:y",
        ] {
            assert!(
                OrgSecretPath::parse(ORG.parse().unwrap(), bad).is_err(),
                "{bad:?}"
            );
        }
        assert_eq!("orgs".parse(), Ok(OrgSecretBase::default()));
        for bad in ["a/b", "", "..", "A"] {
            assert!(bad.parse::<OrgSecretBase>().is_err(), "{bad:?}");
        }
    }
}
