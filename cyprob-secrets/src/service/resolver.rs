//! One reader over the providers of all schemes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Scheme, SecretRef};
use crate::ports::{Secret, SecretError, SecretProvider};

/// Reads each reference from the one provider of its scheme.
///
/// Deployment configuration is resolved with it; what an organization writes
/// becomes a reference only through
/// [`OrgSecretPath`](crate::domain::OrgSecretPath).
#[derive(Clone, Debug, Default)]
pub struct SecretResolver {
    providers: BTreeMap<Scheme, Arc<dyn SecretProvider>>,
}

/// A second provider for a scheme that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is already a provider for {scheme} references")]
pub struct DuplicateScheme {
    scheme: Scheme,
}

impl SecretResolver {
    /// Makes a resolver that serves no scheme.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the provider of a scheme.
    ///
    /// # Errors
    ///
    /// [`DuplicateScheme`] if the scheme has one; it stays.
    pub fn with(mut self, provider: Arc<dyn SecretProvider>) -> Result<Self, DuplicateScheme> {
        let scheme = provider.scheme();
        match self.providers.insert(scheme, provider) {
            None => Ok(self),
            Some(_) => Err(DuplicateScheme { scheme }),
        }
    }

    /// Reads a secret; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`SecretError::Unserved`] if no provider serves the scheme, else what
    /// the provider says.
    pub async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let scheme = reference.scheme();
        match self.providers.get(&scheme) {
            Some(provider) => provider.read(reference).await,
            None => Err(SecretError::Unserved { scheme }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::env::{EnvPrefix, EnvProvider};
    use crate::testkit::block_on;

    fn env() -> Arc<dyn SecretProvider> {
        let prefix = "CARGO_".parse::<EnvPrefix>().unwrap();
        Arc::new(EnvProvider::new([prefix]))
    }

    #[test]
    fn it_serves_the_schemes_it_was_given_and_no_other() {
        let resolver = SecretResolver::new().with(env()).unwrap();
        let read = |text: &str| block_on(resolver.read(&text.parse().unwrap()));
        let found = read("env://CARGO_PKG_NAME").unwrap().unwrap();
        assert_eq!(found.value.len(), env!("CARGO_PKG_NAME").len());
        assert!(read("env://CARGO_NO_SUCH_VARIABLE").unwrap().is_none());
        assert!(matches!(
            read("file:///etc/passwd"),
            Err(SecretError::Unserved {
                scheme: Scheme::File
            })
        ));
        assert_eq!(
            resolver.with(env()).unwrap_err(),
            DuplicateScheme {
                scheme: Scheme::Env
            }
        );
    }
}
