//! The providers that need no server.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::*;
use crate::adapters::env::EnvProvider;
use crate::adapters::file::FileProvider;
use crate::adapters::memory::MemoryStore;

mod memory {
    use super::*;

    crate::secret_provider_conformance!(|| async { StoreStand(MemoryStore::new()) }; versions);
}

mod local {
    use cyprob_core::adapters::system::SystemEntropy;

    use super::*;
    use crate::adapters::local::{KeySource, LocalStore};

    /// The store's directory goes last.
    struct Local(StoreStand<LocalStore>, TempDir);

    fn made() -> Local {
        let dir = tempfile::tempdir().unwrap();
        let key = KeySource::File(dir.path().join("key"));
        let place = dir.path().join("store");
        let store = LocalStore::open(&place, key, Arc::new(SystemEntropy)).unwrap();
        Local(StoreStand(store), dir)
    }

    #[async_trait]
    impl ProviderStand for Local {
        fn provider(&self) -> &dyn SecretProvider {
            assert!(self.1.path().exists());
            self.0.provider()
        }

        async fn put(&self, key: &str, value: &[u8]) {
            self.0.put(key, value).await;
        }

        async fn delete(&self, key: &str) {
            self.0.delete(key).await;
        }

        fn newest(&self, key: &str) -> SecretRef {
            self.0.newest(key)
        }

        fn holds_bytes(&self) -> bool {
            self.0.holds_bytes()
        }

        fn longest(&self) -> usize {
            self.0.longest()
        }
    }

    impl VersionedStand for Local {
        fn at(&self, key: &str, version: &SourceVersion) -> SecretRef {
            self.0.at(key, version)
        }

        fn unknown(&self) -> SourceVersion {
            self.0.unknown()
        }
    }

    crate::secret_provider_conformance!(|| async { made() }; versions);
}

mod env {
    use super::*;

    type Variables = Arc<Mutex<HashMap<String, OsString>>>;

    struct Env(EnvProvider, Variables);

    fn made() -> Env {
        let variables = Variables::default();
        let source = Arc::clone(&variables);
        let lookup = Arc::new(move |name: &str| source.lock().unwrap().get(name).cloned());
        let prefixes = ["CYPROB_".parse().unwrap()];
        Env(EnvProvider::over(prefixes, lookup), variables)
    }

    #[async_trait]
    impl ProviderStand for Env {
        fn provider(&self) -> &dyn SecretProvider {
            &self.0
        }

        async fn put(&self, key: &str, value: &[u8]) {
            let value = OsString::from_vec(value.to_vec());
            self.1
                .lock()
                .unwrap()
                .insert(format!("CYPROB_{key}"), value);
        }

        async fn delete(&self, key: &str) {
            self.1
                .lock()
                .unwrap()
                .remove(&format!("CYPROB_{key}"))
                .unwrap();
        }

        fn newest(&self, key: &str) -> SecretRef {
            format!("env://CYPROB_{key}").parse().unwrap()
        }

        fn holds_bytes(&self) -> bool {
            true
        }

        fn longest(&self) -> usize {
            SecretValue::MAX_LEN
        }
    }

    crate::secret_provider_conformance!(|| async { made() });
}

mod file {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    struct Files(FileProvider, TempDir);

    #[async_trait]
    impl ProviderStand for Files {
        fn provider(&self) -> &dyn SecretProvider {
            &self.0
        }

        async fn put(&self, key: &str, value: &[u8]) {
            let mut options = fs::OpenOptions::new();
            let options = options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(self.1.path().join(key)).unwrap();
            file.set_permissions(fs::Permissions::from_mode(0o600))
                .unwrap();
            file.write_all(value).unwrap();
        }

        async fn delete(&self, key: &str) {
            fs::remove_file(self.1.path().join(key)).unwrap();
        }

        fn newest(&self, key: &str) -> SecretRef {
            format!("file://{}/{key}", self.1.path().display())
                .parse()
                .unwrap()
        }

        fn holds_bytes(&self) -> bool {
            true
        }

        fn longest(&self) -> usize {
            SecretValue::MAX_LEN
        }
    }

    crate::secret_provider_conformance!(|| async {
        Files(FileProvider::new(), tempfile::tempdir().unwrap())
    });
}
