//! Secrets in environment variables.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{
    RefFault, RefPart, Scheme, SecretRef, SecretRefError, SecretValue, SecretValueError,
};
use crate::ports::{Refusal, Secret, SecretError, SecretProvider};

type Source = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// Serves `env://` references whose names begin with an allowed prefix.
///
/// It looks up one name at a time and never lists the environment, so a
/// reference can neither read nor find out about a variable outside them.
#[derive(Clone)]
pub struct EnvProvider {
    prefixes: Vec<EnvPrefix>,
    source: Source,
}

/// The beginning of variable names that may be read, such as `CYPROB_SECRET_`.
///
/// At least two characters of `A-Z 0-9 _`, a letter first, `_` last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvPrefix(String);

impl EnvProvider {
    /// Makes a provider over this process's environment; without prefixes it serves nothing.
    #[must_use]
    pub fn new(prefixes: impl IntoIterator<Item = EnvPrefix>) -> Self {
        Self::over(prefixes, Arc::new(|name| std::env::var_os(name)))
    }

    /// Makes a provider over a given lookup, for tests.
    pub(crate) fn over(prefixes: impl IntoIterator<Item = EnvPrefix>, source: Source) -> Self {
        Self {
            prefixes: prefixes.into_iter().collect(),
            source,
        }
    }
}

#[async_trait]
impl SecretProvider for EnvProvider {
    fn scheme(&self) -> Scheme {
        Scheme::Env
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let SecretRef::Env(name) = reference else {
            let scheme = reference.scheme();
            return Err(SecretError::Unserved { scheme });
        };
        let refused = |refusal| SecretError::refused(reference, refusal);
        let name = name.as_str();
        if !self.prefixes.iter().any(|p| name.starts_with(&p.0)) {
            return Err(refused(Refusal::NotAllowed));
        }
        let Some(bytes) = (self.source)(name) else {
            return Ok(None);
        };
        match SecretValue::new(bytes.into_vec()) {
            Ok(value) => Ok(Some(Secret {
                value,
                version: None,
                stored_at: None,
            })),
            Err(SecretValueError::Empty) => Err(refused(Refusal::Empty)),
            Err(SecretValueError::TooLong) => Err(refused(Refusal::TooLarge {
                max: SecretValue::MAX_LEN,
            })),
        }
    }
}

impl fmt::Debug for EnvProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvProvider")
            .field("prefixes", &self.prefixes)
            .finish_non_exhaustive()
    }
}

impl FromStr for EnvPrefix {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        let allowed = |b: u8| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_');
        let fault = if text.len() < 2 {
            RefFault::Missing
        } else if text.len() > 64 {
            RefFault::TooLong { max: 64 }
        } else if !text.bytes().all(allowed) || !text.ends_with('_') {
            RefFault::BadCharacter
        } else if !text.starts_with(|c: char| c.is_ascii_uppercase()) {
            RefFault::BadStart
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(SecretRefError::new(RefPart::Name, fault))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testkit::block_on;

    fn provider(prefixes: &[&str]) -> EnvProvider {
        let prefixes: Vec<EnvPrefix> = prefixes.iter().map(|p| p.parse().unwrap()).collect();
        EnvProvider::over(
            prefixes,
            Arc::new(|name| match name {
                "CYPROB_A" | "OTHER_A" | "CYPROB" | "cyprob_A" => Some("value".into()),
                "CYPROB_EMPTY" => Some("".into()),
                "CYPROB_BIG" => Some("x".repeat(65_537).into()),
                "CYPROB_BYTES" => Some(OsString::from_vec(vec![0xff, 0xfe])),
                _ => None,
            }),
        )
    }

    fn get(provider: &EnvProvider, name: &str) -> Result<Option<Secret>, SecretError> {
        block_on(provider.read(&format!("env://{name}").parse().unwrap()))
    }

    #[test]
    fn only_names_under_a_prefix_are_looked_up() {
        let some = provider(&["CYPROB_", "X_"]);
        let read = get(&some, "CYPROB_A").unwrap().unwrap();
        assert_eq!(read.value.expose_secret(), b"value");
        assert!(get(&some, "CYPROB_NONE").unwrap().is_none());
        let bytes = get(&some, "CYPROB_BYTES").unwrap().unwrap();
        assert_eq!(bytes.value.expose_secret(), [0xff, 0xfe]);
        // Refused in the same way whether the variable exists or not.
        for outside in ["OTHER_A", "OTHER_NONE", "CYPROB", "cyprob_A", "XCYPROB_A"] {
            for provider in [&some, &provider(&[])] {
                let error = get(provider, outside).unwrap_err();
                let refusal = Refusal::NotAllowed;
                assert!(matches!(error, SecretError::Refused { refusal: r, .. } if r == refusal));
            }
        }
    }

    #[test]
    fn empty_and_oversized_values_are_refused() {
        let some = provider(&["CYPROB_"]);
        for (name, expected) in [
            ("CYPROB_EMPTY", Refusal::Empty),
            ("CYPROB_BIG", Refusal::TooLarge { max: 65_536 }),
        ] {
            let error = get(&some, name).unwrap_err();
            assert!(matches!(error, SecretError::Refused { refusal, .. } if refusal == expected));
        }
    }

    #[test]
    fn a_prefix_that_opens_everything_is_no_prefix() {
        for bad in [
            "", "_", "A", "CYPROB", "cyprob_", "1_", "__", "A-_", "A=_", "É_",
        ] {
            assert!(bad.parse::<EnvPrefix>().is_err(), "{bad:?}");
        }
    }
}
