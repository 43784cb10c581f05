//! A data directory, and the command run on it.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use cyprob::core::adapters::system::{SystemClock, SystemEntropy};
use cyprob::core::ports::Clock as _;
use cyprob::secrets::adapters::local::{KeySource, LocalStore};
use cyprob::secrets::domain::SecretValue;
use cyprob::secrets::ports::{Expected, SecretStore as _};
use tempfile::TempDir;

use crate::support::database::block_on;
use crate::support::server::CYPROB;

/// What must be seen where it is asked for and nowhere else.
pub(crate) const VALUE: &str = "canary-of-secrets-4711";

/// A data directory with a store, as `serve` leaves one.
pub(crate) struct Data(TempDir);

impl Data {
    pub(crate) fn new() -> Self {
        let data = Self(tempfile::tempdir().unwrap());
        fs::create_dir(data.path()).unwrap();
        fs::set_permissions(data.path(), Permissions::from_mode(0o700)).unwrap();
        data.put("keys/user-token", "0123456789abcdef0123456789abcdef");
        data
    }

    /// Where the data directory lies.
    pub(crate) fn home(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn store(&self) -> LocalStore {
        let key = KeySource::File(self.path().join("master-key"));
        LocalStore::open(&self.path().join("secrets"), key, Arc::new(SystemEntropy)).unwrap()
    }

    pub(crate) fn put(&self, name: &str, value: &str) {
        let value = SecretValue::new(value.as_bytes().to_vec()).unwrap();
        let name = name.parse().unwrap();
        let store = self.store();
        block_on(store.put(&name, &value, Expected::Absent, SystemClock.now())).unwrap();
    }

    pub(crate) fn secrets(&self, arguments: &[&str], input: &[u8]) -> Output {
        secrets(&self.path(), arguments, input)
    }

    /// Runs a command that must end so; it must not show the value, wherever it fails.
    #[track_caller]
    pub(crate) fn ends(&self, status: i32, arguments: &[&str], input: &[u8]) -> (String, String) {
        let output = self.secrets(arguments, input);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{out} {err}");
        for told in [&out, &err] {
            assert!(!told.contains(VALUE), "{told}");
            for key in self.master_keys() {
                assert!(!told.contains(&key), "{told}");
            }
        }
        (out, err)
    }

    /// Every master key that lies in the data directory, as its digits.
    pub(crate) fn master_keys(&self) -> Vec<String> {
        let files = fs::read_dir(self.path()).unwrap().map(Result::unwrap);
        let keys = files.filter(|file| {
            let name = file.file_name();
            name.to_str().unwrap().starts_with("master-key")
        });
        keys.map(|file| fs::read_to_string(file.path()).unwrap().trim().to_owned())
            .collect()
    }

    #[track_caller]
    pub(crate) fn get(&self, reference: &str) -> Vec<u8> {
        let output = self.secrets(&["get", reference], b"");
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        output.stdout
    }

    /// Which data keys the sealed values and lists name.
    pub(crate) fn data_keys(&self) -> Vec<[u8; 8]> {
        let files = fs::read_dir(self.path().join("secrets")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let sealed = files.filter(|path| path.to_str().unwrap().contains('@'));
        let mut keys: Vec<_> = sealed
            .map(|path| fs::read(path).unwrap()[6..14].try_into().unwrap())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// Runs `cyprob secrets` with this on its standard input.
pub(crate) fn secrets(data: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(CYPROB);
    command.arg("secrets").args(arguments);
    command.arg("--data").arg(data);
    command.env("CYPROB_TEST_SECRET", VALUE);
    command.stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}
