//! The Biscuit library's own samples: through the pinned library, as the alarm of an upgrade, and through the shape firewall, which takes none of them.
//!
//! They are read where Cargo keeps the library's source, and so are those of the
//! version in use.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

mod firewall;
mod library;

use std::fs;
use std::path::PathBuf;

use biscuit_auth::PublicKey;
use biscuit_auth::builder::Algorithm;
use serde_json::Value;

/// The samples, and the key that signed most of them.
struct Samples {
    place: PathBuf,
    root: PublicKey,
    cases: Vec<Value>,
}

impl Samples {
    fn read() -> Self {
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
            .other_options(["--locked", "--filter-platform", "host-tuple"].map(str::to_owned))
            .exec()
            .unwrap();
        let library = metadata
            .packages
            .iter()
            .filter(|package| *package.name == "biscuit-auth");
        let [library] = library.collect::<Vec<_>>()[..] else {
            panic!("not one version of the library");
        };
        let place = library.manifest_path.with_file_name("samples");
        let text = fs::read_to_string(place.join("samples.json")).unwrap();
        let mut read: Value = serde_json::from_str(&text).unwrap();
        let root = read["root_public_key"].as_str().unwrap();
        let root = PublicKey::from_bytes_hex(root, Algorithm::Ed25519).unwrap();
        let Value::Array(cases) = read["testcases"].take() else {
            panic!("no samples");
        };
        Self {
            place: place.into(),
            root,
            cases,
        }
    }

    fn bytes(&self, case: &Value) -> Vec<u8> {
        fs::read(self.place.join(case["filename"].as_str().unwrap())).unwrap()
    }
}
