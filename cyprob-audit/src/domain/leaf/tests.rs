use cyprob_core::domain::audit::{AuditEvent, MetaValue};
use proptest::prelude::*;
use secrecy::SecretBox;

use super::*;
use crate::domain::KeyName;
use crate::testkit::{events, fixed_keys};

fn origin(name: &str) -> KeyName {
    name.parse().unwrap()
}

fn sealed(event: &AuditEvent) -> SealedLeaf {
    let keys = fixed_keys(std::slice::from_ref(event));
    Leaf::seal(event, &origin("log.example/a"), |owner| keys.get(&owner)).unwrap()
}

fn open(event: &AuditEvent, bytes: &[u8], at: &str) -> OpenedLeaf {
    let keys = fixed_keys(std::slice::from_ref(event));
    Leaf::parse(bytes)
        .unwrap()
        .open(&origin(at), |id| keys.values().find(|key| key.id == id))
}

fn personal(leaf: &OpenedLeaf) -> Vec<&Personal> {
    let metadata = leaf.metadata.values().filter_map(|value| match value {
        LeafValue::Personal(value) => Some(value),
        _ => None,
    });
    leaf.ip_address
        .iter()
        .chain(&leaf.user_agent)
        .chain(metadata)
        .collect()
}

#[test]
fn every_event_reads_back_with_its_keys() {
    for event in events(60) {
        let leaf = open(&event, &sealed(&event).bytes, "log.example/a");
        assert_eq!(leaf.id, event.id);
        assert_eq!(leaf.at, event.at);
        assert_eq!(leaf.org, event.org);
        assert_eq!(leaf.actor, event.actor);
        assert_eq!(leaf.action, event.action);
        assert_eq!(leaf.resource, event.resource);
        assert_eq!(leaf.outcome, event.outcome);
        assert_eq!(leaf.reason, event.reason);
        assert_eq!(leaf.request_id, event.request_id);
        let clear = |text: &str| Personal::Clear(text.to_owned());
        assert_eq!(
            leaf.ip_address,
            event.origin.ip_address.map(|ip| clear(&ip.to_string()))
        );
        assert_eq!(
            leaf.user_agent,
            event.origin.user_agent.as_deref().map(clear)
        );
        for (name, value) in &event.metadata {
            let expected = match value {
                MetaValue::Public { value } => LeafValue::Text(value.clone()),
                MetaValue::Count { value } => LeafValue::Count(*value),
                MetaValue::Personal { value, .. } => LeafValue::Personal(clear(value)),
            };
            assert_eq!(leaf.metadata[name], expected);
        }
    }
}

/// No personal value stands in a leaf in clear, in base64 or in hex.
#[test]
fn no_personal_value_stands_in_a_leaf() {
    use base64::Engine as _;
    let mut seen = 0;
    for event in events(60) {
        let text = String::from_utf8(sealed(&event).bytes).unwrap();
        let mut values: Vec<String> = Vec::new();
        values.extend(event.origin.ip_address.map(|ip| ip.to_string()));
        values.extend(event.origin.user_agent.clone());
        for value in event.metadata.values() {
            if let MetaValue::Personal { value, .. } = value {
                values.push(value.clone());
            }
        }
        for value in values {
            seen += 1;
            let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&value);
            assert!(!text.contains(&value) && !text.contains(&base64[..base64.len() - 1]));
            assert!(!text.contains(&hex::encode(&value)));
        }
    }
    assert!(seen > 60);
}

#[test]
fn sealing_is_the_same_every_time_and_short_values_look_alike() {
    let event = &events(4)[3];
    assert_eq!(sealed(event), sealed(event));
    let with = |ip: &str| {
        let mut event = event.clone();
        event.origin.ip_address = Some(ip.parse().unwrap());
        sealed(&event).bytes
    };
    let (short, long) = (
        with("1.1.1.1"),
        with("2001:db8:1111:2222:3333:4444:5555:6666"),
    );
    assert_eq!(short.len(), long.len());
    // The same event id with another value: neither nonce nor stream is shared.
    let sealed_part = |bytes: &[u8]| Leaf::parse(bytes).unwrap().ip_address.unwrap().bytes;
    assert_ne!(sealed_part(&short)[..12], sealed_part(&long)[..12]);
}

#[test]
fn a_destroyed_key_erases_and_a_moved_value_does_not_open() {
    let event = &events(4)[3];
    let bytes = sealed(event).bytes;
    let erased = Leaf::parse(&bytes)
        .unwrap()
        .open(&origin("log.example/a"), |_| None);
    assert!(!personal(&erased).is_empty());
    assert!(
        personal(&erased)
            .iter()
            .all(|value| **value == Personal::Erased)
    );
    // Another log, another event, another field.
    let other = open(event, &bytes, "log.example/b");
    assert!(
        personal(&other)
            .iter()
            .all(|value| **value == Personal::Unreadable)
    );
    let mut leaf = Leaf::parse(&bytes).unwrap();
    leaf.id = events(9)[8].id;
    let moved = open(event, &leaf.encode().unwrap(), "log.example/a");
    assert!(
        personal(&moved)
            .iter()
            .all(|value| **value == Personal::Unreadable)
    );
    let mut leaf = Leaf::parse(&bytes).unwrap();
    std::mem::swap(&mut leaf.ip_address, &mut leaf.user_agent);
    let swapped = open(event, &leaf.encode().unwrap(), "log.example/a");
    assert!(
        swapped
            .ip_address
            .iter()
            .chain(&swapped.user_agent)
            .all(|v| *v == Personal::Unreadable)
    );
    // Another key under the same id.
    let wrong = SubjectKey {
        id: Leaf::parse(&bytes).unwrap().key_ids()[0],
        secret: SecretBox::new(Box::new([9; 32])),
    };
    let leaf = Leaf::parse(&bytes)
        .unwrap()
        .open(&origin("log.example/a"), |id| {
            (id == wrong.id).then_some(&wrong)
        });
    assert_eq!(leaf.ip_address, Some(Personal::Unreadable));
}

#[test]
fn a_missing_key_is_named() {
    let event = &events(4)[3];
    let owner = *Leaf::owners(event).first().unwrap();
    let failed = Leaf::seal(event, &origin("log.example/a"), |_| None);
    assert_eq!(failed, Err(SealError::MissingKey { owner }));
}

#[test]
fn large_metadata_goes_aside_under_its_hash() {
    use sha2::{Digest as _, Sha256};
    let small = events(3)[2].clone();
    let event = small
        .clone()
        .with("body", MetaValue::public("x".repeat(40_000)));
    let leaf = sealed(&event);
    assert!(leaf.bytes.len() < 2_000);
    let aside = leaf.aside.unwrap();
    let digest: [u8; 32] = Sha256::digest(&aside).into();
    let read = Leaf::parse(&leaf.bytes).unwrap();
    assert_eq!(read.metadata_sha256, Some(digest));
    assert!(read.metadata.is_empty());
    let mut huge = small;
    huge.resource.id = "x".repeat(40_000);
    let keys = fixed_keys(std::slice::from_ref(&huge));
    let failed = Leaf::seal(&huge, &origin("log.example/a"), |owner| keys.get(&owner));
    assert_eq!(failed, Err(SealError::TooLarge));
}

#[test]
fn the_form_is_the_documented_one() {
    let mut event = events(2)[1].clone();
    event.metadata.clear();
    event
        .metadata
        .insert("n".to_owned(), MetaValue::count(i64::MIN));
    let text = String::from_utf8(sealed(&event).bytes).unwrap();
    let id = event.id;
    let (org, request) = (event.org.unwrap(), event.request_id.unwrap());
    let resource = &event.resource.id;
    let action = event.action;
    assert_eq!(
        text,
        format!(
            "{{\"action\":\"{action}\",\"actor\":{{\"id\":\"sequencer\",\"kind\":\"system\"}},\
             \"id\":\"{id}\",\"metadata\":{{\"n\":{{\"count\":\"-9223372036854775808\"}}}},\
             \"org_id\":\"{org}\",\"outcome\":\"success\",\"request_id\":\"{request}\",\
             \"resource\":{{\"id\":\"{resource}\",\"type\":\"session\"}},\
             \"time\":\"2026-01-01T00:00:01.000000Z\",\"v\":1}}"
        )
    );
}

#[test]
fn what_no_seal_writes_is_refused() {
    let bytes = sealed(&events(4)[3]).bytes;
    let text = String::from_utf8(bytes).unwrap();
    let bad = |changed: String, error: LeafError| {
        assert_ne!(changed, text);
        assert_eq!(Leaf::parse(changed.as_bytes()), Err(error), "{changed}");
    };
    bad(text.replace("\"v\":1", "\"v\":2"), LeafError::Version);
    bad(text.replace(",\"v\":1", ""), LeafError::Version);
    bad(text.replace("\"v\":1", "\"v\":1 "), LeafError::NotCanonical);
    bad(
        text.replace("\"v\":1", "\"v\":1.0"),
        LeafError::NotCanonical,
    );
    bad(
        text.replace("\"v\":1", "\"v\":1,\"w\":1"),
        LeafError::Field { name: "unknown" },
    );
    bad(
        text.replace("\"v\":1", "\"v\":1,\"v\":1"),
        LeafError::NotCanonical,
    );
    bad(
        text.replace("\"outcome\":\"success\"", "\"outcome\":\"great\""),
        LeafError::Field { name: "outcome" },
    );
    bad(
        text.replace("evt_", "usr_"),
        LeafError::Field { name: "id" },
    );
    bad(
        text.replace(".000000Z", "Z"),
        LeafError::Field { name: "unknown" },
    );
    bad(
        text.replace("\"kind\":\"user\"", "\"kind\":\"\\u0075ser\""),
        LeafError::NotCanonical,
    );
    bad(format!(" {text}"), LeafError::NotCanonical);
    bad(format!("{text}{text}"), LeafError::NotCanonical);
    bad("[".repeat(30_000), LeafError::NotCanonical);
    bad("{\"v\":".repeat(6_000), LeafError::NotCanonical);
    bad("x".repeat(Leaf::MAX_BYTES + 1), LeafError::TooLarge);
    bad("[]".to_owned(), LeafError::NotCanonical);
    bad("{}".to_owned(), LeafError::Version);
}

proptest! {
    #[test]
    fn any_text_survives_sealing(value in "\\PC{0,120}", name in "\\PC{1,20}", public in ".{0,60}") {
        let event = events(1)[0].clone()
            .with(&name, MetaValue::personal(None, &value))
            .with("public", MetaValue::public(&public));
        let leaf = open(&event, &sealed(&event).bytes, "log.example/a");
        if name != "public" {
            prop_assert_eq!(&leaf.metadata[&name], &LeafValue::Personal(Personal::Clear(value)));
        }
        prop_assert_eq!(&leaf.metadata["public"], &LeafValue::Text(public));
    }

    #[test]
    fn no_bytes_make_the_leaf_reader_panic(at: prop::sample::Index, byte: u8) {
        let mut bytes = sealed(&events(4)[3]).bytes;
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Leaf::parse(&bytes);
    }
}
