//! What a revocation view must do.

use std::time::Duration;

use cyprob_core::domain::{
    Epoch, OrgId, Revocation, RevocationEntry, RoleName, RoleVersion, Timestamp, Whose,
};
use cyprob_core::ports::RevocationFeed as _;

use super::stand::Stand;
use crate::domain::{AccessClaims, OrgClaims, ServiceClaims};

/// Revocations end exactly the tokens they name, at once, and leave memory when they cannot matter.
///
/// # Panics
///
/// If the view does not conform.
pub fn revocation_view_conforms() {
    each_kind_ends_its_tokens_alone();
    many_end_with_one_entry();
    machines_and_roles_end_apart();
    epochs_only_grow();
    memory_is_bounded_by_what_lives();
    a_clock_set_back_revives_nothing();
    a_view_past_its_bound_is_stale();
}

fn later(stand: &Stand, seconds: u64) -> Timestamp {
    stand.now().after(Duration::from_secs(seconds))
}

fn publish(stand: &Stand, what: Revocation) {
    let expires_at = later(stand, 900);
    stand
        .revocations
        .publish(&[RevocationEntry { what, expires_at }]);
}

fn each_kind_ends_its_tokens_alone() {
    let stand = Stand::new(21);
    let org = stand.org("acme", RoleName::OWNER);
    let elsewhere = stand.org("globex", RoleName::OWNER);
    let claims = stand.claims(Some(org.clone()));
    let there = AccessClaims {
        org: Some(elsewhere.clone()),
        ..claims.clone()
    };
    let other = stand.claims(Some(org.clone()));
    let revoked = |claims: &AccessClaims| stand.revocations.is_revoked(claims);
    assert!(!revoked(&claims) && !revoked(&there) && !revoked(&other));

    publish(&stand, Revocation::Grant(claims.session, elsewhere.id));
    assert!(!revoked(&claims) && revoked(&there) && !revoked(&other));

    publish(
        &stand,
        Revocation::Member(org.id, other.user, Epoch::new(2)),
    );
    assert!(!revoked(&claims) && revoked(&other));
    let again = AccessClaims {
        org: Some(crate::domain::OrgClaims {
            member_epoch: Epoch::new(2),
            ..org
        }),
        ..other.clone()
    };
    assert!(!revoked(&again));

    publish(&stand, Revocation::Session(claims.session));
    publish(&stand, Revocation::Session(claims.session));
    assert!(revoked(&claims) && revoked(&there) && !revoked(&again));

    publish(&stand, Revocation::User(other.user, Epoch::new(2)));
    assert!(revoked(&again));
}

fn many_end_with_one_entry() {
    let kinds: [fn(&AccessClaims, OrgId) -> Whose; 3] = [
        |_, _| Whose::Everyone,
        |claims, _| Whose::User(claims.user),
        |_, org| Whose::Org(org),
    ];
    for kind in kinds {
        let stand = Stand::new(25);
        let org = stand.org("acme", RoleName::OWNER);
        let before = stand.claims(Some(org.clone()));
        let kept = stand.claims(Some(org.clone()));
        let elsewhere = stand.claims(Some(stand.org("globex", RoleName::OWNER)));
        let whose = kind(&before, org.id);
        let until = stand.now();
        stand.clock.advance(Duration::from_millis(1));
        let after = AccessClaims {
            user: before.user,
            ..stand.claims(Some(org))
        };
        publish(&stand, Revocation::Opened(whose, until, Some(kept.session)));
        let revoked = |claims: &AccessClaims| stand.revocations.is_revoked(claims);
        assert!(revoked(&before), "{whose:?}");
        assert!(!revoked(&kept) && !revoked(&after), "{whose:?}");
        assert_eq!(revoked(&elsewhere), whose == Whose::Everyone, "{whose:?}");
        assert_eq!(stand.revocations.counts().opened, 1);
        // A later end ends what the one before kept.
        let until = stand.now();
        publish(&stand, Revocation::Opened(whose, until, None));
        assert!(revoked(&after), "{whose:?}");
        assert_eq!(
            revoked(&kept),
            !matches!(whose, Whose::User(_)),
            "{whose:?}"
        );
        stand.clock.advance(Duration::from_secs(7_200));
        stand.revocations.sweep();
        assert_eq!(stand.revocations.counts().opened, 0);
    }
}

fn machines_and_roles_end_apart() {
    let stand = Stand::new(25);
    let role = stand.define("triage", "runs:read");
    let org = OrgClaims {
        version: Some(role.version),
        ..stand.org("acme", role.name)
    };
    let claims = stand.service(org.clone());
    let other_key = ServiceClaims {
        key: stand.service(org.clone()).key,
        ..claims.clone()
    };
    let neighbour = stand.service(stand.org("acme", RoleName::VIEWER));
    let person = stand.claims(Some(org.clone()));
    let revoked = |claims: &ServiceClaims| stand.revocations.is_revoked(claims);
    assert!(!revoked(&claims) && !revoked(&neighbour));

    publish(&stand, Revocation::ServiceKey(org.id, claims.key));
    assert!(revoked(&claims) && !revoked(&other_key) && !revoked(&neighbour));

    publish(
        &stand,
        Revocation::Service(org.id, claims.account, Epoch::new(2)),
    );
    assert!(revoked(&other_key) && !revoked(&neighbour));
    assert!(!stand.revocations.is_revoked(&person));

    publish(
        &stand,
        Revocation::Role(org.id, role.version.id, role.version.epoch.next()),
    );
    assert!(stand.revocations.is_revoked(&person) && !revoked(&neighbour));
    let next = RoleVersion {
        epoch: role.version.epoch.next(),
        ..role.version
    };
    let anew = AccessClaims {
        org: Some(OrgClaims {
            version: Some(next),
            ..org
        }),
        ..person
    };
    assert!(!stand.revocations.is_revoked(&anew));
}

fn epochs_only_grow() {
    let stand = Stand::new(22);
    let claims = stand.claims(None);
    publish(&stand, Revocation::User(claims.user, Epoch::new(9)));
    publish(&stand, Revocation::User(claims.user, Epoch::new(3)));
    let at = |epoch| AccessClaims {
        user_epoch: Epoch::new(epoch),
        ..claims.clone()
    };
    assert!(stand.revocations.is_revoked(&at(8)));
    assert!(!stand.revocations.is_revoked(&at(9)));
}

fn memory_is_bounded_by_what_lives() {
    let stand = Stand::new(23);
    let mut most = 0;
    for _ in 0..200 {
        for _ in 0..200 {
            let what = Revocation::Session(stand.claims(None).session);
            let expires_at = later(&stand, 60);
            stand
                .revocations
                .publish(&[RevocationEntry { what, expires_at }]);
        }
        stand.clock.advance(Duration::from_secs(60));
        most = most.max(stand.revocations.counts().sessions);
    }
    // 40,000 came in; 200 a minute live for a minute and are kept for 15 more: 3,200, at most twice that between sweeps
    assert!(most < 9_000, "{most}");
    stand.clock.advance(Duration::from_secs(3_600));
    stand.revocations.sweep();
    assert_eq!(stand.revocations.counts().sessions, 0);
}

fn a_clock_set_back_revives_nothing() {
    let stand = Stand::new(24);
    let start = stand.now();
    let claims = stand.claims(None);
    publish(&stand, Revocation::Session(claims.session));
    stand.clock.advance(Duration::from_secs(86_400));
    stand.revocations.sweep();
    assert_eq!(stand.revocations.counts().sessions, 0);
    stand.clock.set(start);
    assert!(stand.revocations.is_revoked(&claims));
}

fn a_view_past_its_bound_is_stale() {
    let unbound = Stand::new(25);
    unbound.clock.advance(Duration::from_secs(1_000_000));
    assert!(!unbound.revocations.is_stale());

    let stand = Stand::with_bound(26, Duration::from_secs(5));
    let (view, begun) = (&stand.revocations, stand.now());
    assert!(view.is_stale(), "it was never caught up");
    for step in [Duration::from_micros(1), Duration::from_secs(3_600)] {
        let edge = Duration::from_secs(5);
        for (inside, outside) in [
            (begun.after(edge), begun.after(edge + step)),
            (begun.before(edge), begun.before(edge + step)),
        ] {
            stand.clock.set(begun);
            view.caught_up(begun);
            assert!(!view.is_stale());
            stand.clock.set(inside);
            assert!(!view.is_stale());
            stand.clock.set(outside);
            assert!(view.is_stale());
            // A clock that is set back to then makes it no younger.
            stand.clock.set(begun);
            assert!(view.is_stale());
        }
    }
    view.caught_up(begun);
    assert!(!view.is_stale());
}
