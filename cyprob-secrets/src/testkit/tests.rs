use std::fs;
use std::sync::Arc;

use cyprob_core::adapters::system::SystemEntropy;
use cyprob_core::domain::Timestamp;
use proptest::prelude::*;

use super::{block_on, canary, properties, strategies};
use crate::adapters::env::{EnvPrefix, EnvProvider};
use crate::adapters::file::FileProvider;
use crate::adapters::local::{KeySource, LocalStore};
use crate::adapters::memory::MemoryStore;
use crate::domain::{SecretRef, SecretValue};
use crate::ports::{Expected, SecretStore};

const MARKER: &str = "m4rk3r-0f-4-s3cr3t-6f1c";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn an_accepted_text_is_canonical(text in strategies::reference()) {
        properties::accepted_text_is_canonical(&text);
    }

    #[test]
    fn an_accepted_hostile_text_is_canonical(text in strategies::hostile()) {
        properties::accepted_text_is_canonical(&text);
    }

    #[test]
    fn sec_4(
        org in strategies::org_id(),
        other in strategies::org_id(),
        before in strategies::hostile(),
        after in "[a-z/.]{0,6}",
        shape in 0..4,
    ) {
        let written = match shape {
            0 => before,
            1 => format!("{before}{other}/{after}"),
            2 => format!("../{other}/{after}"),
            _ => format!("{other}/{after}"),
        };
        properties::sec_4(org, other, &written);
    }
}

#[test]
fn the_generators_give_both_outcomes() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut count = |strategy: BoxedStrategy<String>, accepts: &dyn Fn(&str) -> bool| {
        let texts = (0..500).map(|_| strategy.new_tree(&mut runner).unwrap().current());
        texts.filter(|text| accepts(text)).count()
    };
    let good = count(
        strategies::reference().boxed(),
        &properties::accepted_text_is_canonical,
    );
    assert!(good > 450, "{good} of 500 references accepted");
    let org = "org_0193c0ffee007000800000000000abcd".parse().unwrap();
    let names = "[a-z0-9.]{1,4}(/[a-z0-9.]{1,4}){0,2}".boxed();
    let own = count(names, &|text| properties::sec_4(org, org, text));
    assert!((100..450).contains(&own), "{own} of 500 names accepted");
}

#[test]
fn sec_1_memory_and_local() {
    let dir = tempfile::tempdir().unwrap();
    let key = KeySource::File(dir.path().join("key"));
    let place = dir.path().join("store");
    let local = LocalStore::open(&place, key, Arc::new(SystemEntropy)).unwrap();
    let stores: [Arc<dyn SecretStore>; 2] = [Arc::new(MemoryStore::new()), Arc::new(local)];
    let references: Vec<SecretRef> = ["local://a", "local://a?version=1", "local://b", "env://A"]
        .map(|text| text.parse().unwrap())
        .to_vec();
    for store in stores {
        let value = SecretValue::from_text(&MARKER.into()).unwrap();
        let name = "a".parse().unwrap();
        let put = store.put(&name, &value, Expected::Absent, Timestamp::UNIX_EPOCH);
        assert!(!canary::shows(
            &format!("{:?} {value:?}", block_on(put)),
            MARKER
        ));
        let searched = block_on(canary::sec_1(&store, MARKER, &references));
        assert_eq!(searched, 5);
    }
    // And of a damaged file.
    let local = LocalStore::open(
        &place,
        KeySource::File(dir.path().join("key")),
        Arc::new(SystemEntropy),
    );
    let path = place.join("a@1");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
    block_on(canary::sec_1(&local.unwrap(), MARKER, &references));
}

#[test]
fn sec_1_file_and_env() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let reference = |name: &str| {
        format!("file://{}/{name}", dir.path().display())
            .parse()
            .unwrap()
    };
    for (name, mode) in [("good", 0o600), ("open", 0o644)] {
        fs::write(dir.path().join(name), MARKER).unwrap();
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(dir.path().join(name), mode).unwrap();
    }
    let references = [reference("good"), reference("open"), reference("none")];
    block_on(canary::sec_1(&FileProvider::new(), MARKER, &references));

    let source = Arc::new(|name: &str| match name {
        "CYPROB_BIG" => Some(MARKER.repeat(3_000).into()),
        _ => Some(MARKER.into()),
    });
    let env = EnvProvider::over(["CYPROB_".parse::<EnvPrefix>().unwrap()], source);
    let references = ["env://CYPROB_A", "env://CYPROB_BIG", "env://OTHER"];
    block_on(canary::sec_1(
        &env,
        MARKER,
        &references.map(|text| text.parse().unwrap()),
    ));
}

#[test]
fn the_canary_notices_a_marker_in_any_form() {
    let hex: String = MARKER.bytes().map(|b| format!("{b:02x}")).collect();
    for text in [
        format!("x{MARKER}x"),
        format!("{:?}", MARKER.as_bytes()),
        hex,
    ] {
        assert!(canary::shows(&text, MARKER));
    }
    assert!(!canary::shows("[REDACTED]", MARKER));
}
