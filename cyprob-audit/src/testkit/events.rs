//! Events of every kind, the same at every call.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use cyprob_core::domain::audit::{
    Action, Actor, AuditEvent, MetaValue, Outcome, RequestOrigin, Resource,
};
use cyprob_core::domain::{Caller, EventId, Id, OrgId, RequestId, SessionId, Timestamp, UserId};
use secrecy::SecretBox;

use crate::domain::{KeyName, KeyOwner, Leaf, SealError, SubjectKey, SubjectKeyId};

/// 2026-01-01T00:00:00Z in seconds.
const BEGIN: i64 = 1_767_225_600;

fn random(seed: u64, purpose: u8) -> [u8; 10] {
    let [a, b, c, d, e, f, g, h] = seed.to_be_bytes();
    [purpose, a, b, c, d, e, f, g, h, purpose]
}

/// `count` events one second apart, of varying kinds, some with personal fields.
#[must_use]
pub fn events(count: u64) -> Vec<AuditEvent> {
    let begin = Timestamp::from_seconds(BEGIN);
    let org = OrgId::from_random(begin, random(0, 1));
    (0..count)
        .map(|n| {
            let at = Timestamp::from_seconds(BEGIN.saturating_add_unsigned(n));
            let user = UserId::from_random(begin, random(n % 7, 2));
            let session = SessionId::from_random(begin, random(n % 11, 3));
            let caller = Caller {
                actor: match n % 5 {
                    0 => Actor::Anonymous,
                    1 => Actor::system("sequencer"),
                    2 => Actor::Operator,
                    _ => Actor::User {
                        id: user,
                        session: Some(session),
                        token: None,
                    },
                },
                origin: RequestOrigin {
                    ip_address: (n % 5 != 1)
                        .then(|| IpAddr::V4(Ipv4Addr::from_bits(0xCB00_7100 | (n as u32 % 251)))),
                    user_agent: (n % 3 == 0).then(|| format!("agent/{}.0", n % 13)),
                },
                request_id: Some(RequestId::from_random(at, random(n, 4))),
            };
            let action = Action::ALL
                .get(usize::try_from(n).unwrap_or(0) % Action::ALL.len())
                .copied()
                .unwrap_or(Action::SystemStarted);
            let id = EventId::from_random(at, random(n, 5));
            let event = AuditEvent::new(id, at, &caller, action, Resource::new("session", session))
                .in_org(org)
                .with("attempt", MetaValue::count(i64::try_from(n).unwrap_or(0)))
                .with(
                    "note",
                    MetaValue::public(format!("event \u{201c}{n}\u{201d}")),
                );
            match n % 4 {
                0 => event
                    .with_outcome(Outcome::Denied, "invalid_credentials")
                    .with(
                        "email",
                        MetaValue::personal(None, &format!("person{n}@example.com")),
                    ),
                1 => event.with(
                    "email",
                    MetaValue::personal(Some(user), &format!("user{}@example.com", n % 7)),
                ),
                _ => event,
            }
        })
        .collect()
}

/// Keys that are the same at every call, one for each owner that these events need.
#[must_use]
pub fn fixed_keys(events: &[AuditEvent]) -> BTreeMap<KeyOwner, SubjectKey> {
    let owners: std::collections::BTreeSet<_> = events.iter().flat_map(Leaf::owners).collect();
    (1_u8..)
        .zip(owners)
        .map(|(n, owner)| {
            let key = SubjectKey {
                id: SubjectKeyId::from_bytes([n; 16]),
                secret: SecretBox::new(Box::new([n ^ 0x5a; 32])),
            };
            (owner, key)
        })
        .collect()
}

/// The leaves of `count` events, sealed under [`fixed_keys`].
///
/// # Errors
///
/// None for these events.
pub fn sealed_leaves(origin: &KeyName, count: u64) -> Result<Vec<Vec<u8>>, SealError> {
    let events = events(count);
    let keys = fixed_keys(&events);
    events
        .iter()
        .map(|event| Leaf::seal(event, origin, |owner| keys.get(&owner)).map(|leaf| leaf.bytes))
        .collect()
}
