//! `cyprob secrets doctor`: each thing that is wrong has a line with its remedy.

mod local;
#[cfg(feature = "aws")]
mod over_moto;
#[cfg(feature = "vault")]
mod over_vault;
#[cfg(feature = "vault")]
mod stated;
#[cfg(not(all(feature = "aws", feature = "vault")))]
mod without;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use crate::data::{Data, VALUE};
use crate::support::server::CYPROB;

/// A data directory, a configuration, and what must not be shown.
pub(crate) struct Patient {
    pub(crate) data: Data,
    secrets: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

/// What the doctor said, and how it ended.
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) status: Option<i32>,
}

impl Patient {
    pub(crate) fn new() -> Self {
        Self {
            data: Data::new(),
            secrets: vec![VALUE.to_owned()],
            environment: Vec::new(),
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.data.home().join(name)
    }

    /// A private file with a secret.
    pub(crate) fn keep(&mut self, name: &str, secret: &str) -> PathBuf {
        self.secrets.push(secret.to_owned());
        let path = self.file(name);
        fs::write(&path, secret).unwrap();
        mode(&path, 0o600);
        path
    }

    pub(crate) fn configure(&self, text: &str) {
        fs::write(self.file("cyprob.toml"), text).unwrap();
    }

    #[cfg(any(feature = "aws", feature = "vault"))]
    pub(crate) fn set(&mut self, variable: &'static str, value: impl Into<String>) {
        self.environment.push((variable, value.into()));
    }

    /// A variable with a secret.
    #[cfg(feature = "aws")]
    pub(crate) fn hide(&mut self, variable: &'static str, secret: &str) {
        self.secrets.push(secret.to_owned());
        self.set(variable, secret);
    }

    /// Runs a command at every level of logging; no secret is shown.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> (Said, String) {
        let mut command = Command::new(CYPROB);
        command.arg("secrets").args(arguments);
        command.arg("--config").arg(self.file("cyprob.toml"));
        command.arg("--data").arg(self.data.path());
        command.env("CYPROB_LOG", "trace");
        command.env_remove("VAULT_SKIP_VERIFY");
        command.env_remove("BAO_SKIP_VERIFY");
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("AWS_") {
                command.env_remove(variable);
            }
        }
        command.envs(self.environment.iter().cloned());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        let mut secrets = self.secrets.clone();
        if self.data.path().exists() {
            secrets.extend(self.data.master_keys());
        }
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            assert!(!err.contains(secret), "{err}");
            assert!(arguments[0] != "doctor" || !out.contains(secret), "{out}");
        }
        let status = output.status.code();
        (Said { text: out, status }, err)
    }

    #[track_caller]
    pub(crate) fn doctor(&self) -> Said {
        self.run(&["doctor"]).0
    }

    /// The doctor, who may use up a secret id.
    #[cfg(feature = "vault")]
    #[track_caller]
    pub(crate) fn spending(&self) -> Said {
        self.run(&["doctor", "--spend-secret-id"]).0
    }
}

impl Said {
    fn lines(&self, word: &str) -> Vec<&str> {
        let lines = self.text.lines();
        lines
            .filter_map(|line| line.strip_prefix(&format!("{word:8} ")))
            .collect()
    }

    /// That these are refused, each in a line of its own with these words, and nothing else is.
    #[track_caller]
    pub(crate) fn refuses(&self, told: &[&[&str]]) -> &Self {
        let refused = self.lines("refused");
        assert_eq!(refused.len(), told.len(), "{}", self.text);
        for words in told {
            let is = |line: &&&str| words.iter().all(|word| line.contains(word));
            assert_eq!(
                refused.iter().filter(is).count(),
                1,
                "{words:?}: {}",
                self.text
            );
        }
        let status = if told.is_empty() { 0 } else { 1 };
        assert_eq!(self.status, Some(status), "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn remarks(&self, told: &[&str]) -> &Self {
        let remarks = self.lines("remark");
        assert_eq!(remarks.len(), told.len(), "{}", self.text);
        for (line, words) in remarks.iter().zip(told) {
            assert!(line.contains(words), "{}", self.text);
        }
        self
    }

    #[track_caller]
    pub(crate) fn praises(&self, told: &[&str]) -> &Self {
        let well = self.lines("well");
        for words in told {
            assert!(
                well.iter().any(|line| line.starts_with(words)),
                "{words}: {}",
                self.text
            );
        }
        self
    }
}

pub(crate) fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs a look at a file that others may read, and one at another's, where that can be made.
#[track_caller]
pub(crate) fn exposed(path: &Path, look: impl Fn(&str)) {
    mode(path, 0o644);
    look("group or others may access it; take their permissions away");
    mode(path, 0o600);
    if geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(65_534), None).unwrap();
        look("belongs to another user; give it to the user of this process");
        std::os::unix::fs::chown(path, Some(0), None).unwrap();
    }
}
