use super::*;
use crate::domain::Id;

fn user(n: u8) -> UserId {
    UserId::from_random(Timestamp::UNIX_EPOCH, [n; 10])
}

fn org(n: u8) -> OrgId {
    OrgId::from_random(Timestamp::UNIX_EPOCH, [n; 10])
}

fn held(n: u8, role: &str) -> HeldRole {
    HeldRole {
        user: user(n),
        role: role.parse().unwrap(),
        since: Timestamp::from_seconds(7),
        last_used_at: None,
    }
}

#[test]
fn a_digest_is_of_who_holds_what_since_when_and_of_nothing_else() {
    let mapping = [held(1, "owner"), held(2, "viewer")];
    let digest = MappingDigest::of(org(1), &mapping);
    let mut turned = mapping.clone();
    turned.reverse();
    turned[0].last_used_at = Some(Timestamp::from_seconds(9));
    assert_eq!(MappingDigest::of(org(1), &turned), digest);

    let mut others = vec![
        vec![],
        vec![held(1, "owner")],
        mapping.to_vec(),
        mapping.to_vec(),
    ];
    others[2][1].role = "admin".parse().unwrap();
    others[3][1].since = Timestamp::from_seconds(8);
    for other in others {
        assert_ne!(MappingDigest::of(org(1), &other), digest, "{other:?}");
    }
    assert_ne!(MappingDigest::of(org(2), &mapping), digest);
}

#[test]
fn a_digest_reads_back_in_one_spelling() {
    let digest = MappingDigest::of(org(1), &[held(1, "owner")]);
    let text = digest.to_string();
    assert_eq!(text.parse(), Ok(digest));
    for bad in [
        text.to_uppercase(),
        text.replace("sha256:", ""),
        format!("{text}00"),
        String::new(),
        "sha256:".to_owned(),
    ] {
        assert_eq!(
            bad.parse::<MappingDigest>(),
            Err(MappingDigestError),
            "{bad}"
        );
    }
}

#[test]
fn changes_name_who_came_went_and_moved() {
    let before = [
        held(1, "owner"),
        held(2, "viewer"),
        held(3, "viewer"),
        held(4, "admin"),
    ];
    let mut back = held(4, "admin");
    back.since = Timestamp::from_seconds(100);
    let mut used = held(1, "owner");
    used.last_used_at = Some(Timestamp::from_seconds(50));
    let after = [used, held(2, "admin"), back.clone(), held(5, "viewer")];
    let changes = RoleChanges::between(&before, &after);
    assert_eq!(changes.added, [back, held(5, "viewer")]);
    assert_eq!(changes.removed, [held(3, "viewer"), held(4, "admin")]);
    let moved = RoleMove {
        user: user(2),
        from: RoleName::VIEWER,
        to: RoleName::ADMIN,
    };
    assert_eq!(changes.changed, [moved]);
    assert!(RoleChanges::between(&after, &after).is_empty());
    assert!(!RoleChanges::between(&before, &after).is_empty());
}

#[test]
fn a_note_is_one_line_of_some_length() {
    assert_eq!(
        " as it should be ".parse::<ReviewNote>().unwrap().as_str(),
        "as it should be"
    );
    assert!("é".repeat(1_000).parse::<ReviewNote>().is_ok());
    for bad in ["", "  ", "two\nlines", "a\u{2028}b", &"x".repeat(1_001)] {
        assert!(bad.parse::<ReviewNote>().is_err(), "{bad:?}");
    }
}
