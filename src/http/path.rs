//! Ids in paths.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use cyprob_authz::http::PathNames;
use cyprob_core::domain::{Id, KeyId, RoleName, ServiceAccountId};
use cyprob_plugins::domain::PluginId;
use cyprob_secrets::domain::{OrgSecretPath, SecretName};
use http::request::Parts;

use super::ApiError;

/// The last id of the path; a text that is no such id is a thing that does not exist.
#[derive(Debug)]
pub(crate) struct PathId<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for PathId<T>
where
    S: Send + Sync,
    T: Id + FromStr,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::NotFound)?;
        let last = params
            .iter()
            .last()
            .map(|(_, value)| value)
            .ok_or(ApiError::NotFound)?;
        last.parse().map(Self).map_err(|_| ApiError::NotFound)
    }
}

/// The `{index}` of the path; a text that is no index is an entry that does not exist.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathIndex(pub(crate) u64);

impl<S: Send + Sync> FromRequestParts<S> for PathIndex {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read(parts, "index", |text| {
            let index: u64 = text.parse().ok()?;
            // One spelling: no sign, no leading zero, and within what a log can hold.
            (index.to_string() == text && i64::try_from(index).is_ok()).then_some(Self(index))
        })
    }
}

/// The plugin id at the end of the path, or before `/enabled`; a text that is none is a plugin that does not exist.
#[derive(Debug)]
pub(crate) struct PathPlugin(pub(crate) PluginId);

impl<S: Send + Sync> FromRequestParts<S> for PathPlugin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read(parts, "id", |text| PluginId::parse(text).map(Self))
    }
}

/// The `{name}` of a role; a text that is none is a role that does not exist.
#[derive(Debug)]
pub(crate) struct PathRole(pub(crate) RoleName);

impl<S: Send + Sync> FromRequestParts<S> for PathRole {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        named(parts, "name").map(Self)
    }
}

/// The `{name}` of a secret, in which `~` stands for each slash of its own.
///
/// A slash itself is in none, however it is written: so a path has one name, and a name one path.
#[derive(Debug)]
pub(crate) struct PathSecret(Option<SecretName>);

impl PathSecret {
    /// One that may be there; a text that is none is a secret that does not exist.
    pub(crate) fn existing(self) -> Result<SecretName, ApiError> {
        self.0.ok_or(ApiError::NotFound)
    }

    /// One that may be made.
    pub(crate) fn writable(self) -> Result<SecretName, ApiError> {
        self.0.ok_or_else(|| {
            ApiError::field(
                "name",
                "is 1 to 96 bytes: parts of a-z 0-9 . _ - that begin with a letter or digit, joined by ~",
            )
        })
    }

    fn parse(text: &str) -> Option<SecretName> {
        let name = text.replace('~', "/").parse::<SecretName>().ok()?;
        (!text.contains('/') && text.len() <= OrgSecretPath::MAX_LEN).then_some(name)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathSecret {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read(parts, "name", |text| Some(Self(Self::parse(text))))
    }
}

/// A key of a service account: `{id}` and `{key}`.
#[derive(Debug)]
pub(crate) struct PathKey {
    pub(crate) account: ServiceAccountId,
    pub(crate) key: KeyId,
}

impl<S: Send + Sync> FromRequestParts<S> for PathKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self {
            account: named(parts, "id")?,
            key: named(parts, "key")?,
        })
    }
}

fn named<T: FromStr>(parts: &Parts, name: &str) -> Result<T, ApiError> {
    read(parts, name, |text| text.parse().ok())
}

/// Reads what the policy was checked with: an outer router may have names too.
fn read<T>(parts: &Parts, name: &str, text: impl FnOnce(&str) -> Option<T>) -> Result<T, ApiError> {
    PathNames::of(&parts.extensions)
        .and_then(|names| text(names.get(name)?))
        .ok_or(ApiError::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_one_path_and_a_path_one_secret() {
        for (text, name) in [
            ("a", "a"),
            ("db~password", "db/password"),
            ("a~b~c", "a/b/c"),
        ] {
            assert_eq!(PathSecret::parse(text).unwrap().as_str(), name);
        }
        let long = "n".repeat(97);
        for bad in [
            "",
            "~",
            "a~",
            "~a",
            "a~~b",
            "a/b",
            "..",
            "a~..",
            "a~.~b",
            "A",
            "a b",
            "a%2fb",
            "a\u{2044}b",
            "a\0",
            "\u{ff5e}",
            "a~/b",
            long.as_str(),
        ] {
            assert!(PathSecret::parse(bad).is_none(), "{bad:?}");
        }
    }
}
