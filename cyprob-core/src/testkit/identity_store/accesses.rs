//! What a session has in organizations, as its next tokens are made from it.

use std::sync::Arc;

use super::role_grants;
use super::roles::{defined, edit, next};
use super::users::shown;
use super::world::{AT, Done, Store, World, grant, later, race, role};
use crate::domain::{Access, Epoch, GrantState, Membership, OrgPolicy, Organization, Session};
use crate::ports::store::{
    MemberOutcome, OrgChange, OrgUpdate, PolicyUpdate, RoleChange, StoreError,
};

async fn grant_in(
    world: &World,
    session: &Session,
    org: &Organization,
) -> Result<Option<GrantState>, StoreError> {
    let accesses = world.store.accesses(session.user, session.id).await?;
    let found = accesses.iter().find(|it| it.membership.org == org.id);
    Ok(found.map(|access| access.grant))
}

/// Policy, version and grant are those of each organization, in the order of slugs.
pub async fn an_access_tells_policy_version_and_grant(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, owner) = world.second_org("aaa").await?;
    world.rejoin(world.org.id, &owner, "viewer").await?;
    let policy = PolicyUpdate {
        factor_required: None,
        max_session_seconds: Some(Some(1_800)),
    };
    let change = OrgChange {
        update: OrgUpdate { name: None, policy },
        at: later(1),
        tokens_expire_at: later(300),
    };
    world.store.update_org(&world.ctx(), &change, &[]).await?;
    let made = defined(&world, world.org.id, "triage").await?;
    // One of the same name in the other organization is another role.
    defined(&world, other.id, "triage").await?;
    let given = role_grants::grant(&owner, "triage", made.version);
    let outcome = world.store.change_role(&world.ctx(), &given, &[]).await?;
    assert!(matches!(outcome, MemberOutcome::Changed(_)), "{outcome:?}");
    let wanted = edit(made.version, "org:write");
    world.store.edit_role(&world.ctx(), &wanted, &[]).await?;
    let session = world.granted(&owner, world.org.id).await?;

    let places = world.store.memberships(owner.id).await?;
    let epoch = |org: &Organization| {
        let found = places.iter().find(|place| place.org == org.id);
        found.map_or(Epoch::FIRST, |place| place.epoch)
    };
    let expected = [
        Access {
            membership: Membership {
                org: other.id,
                slug: other.slug.clone(),
                role: role("owner"),
                epoch: epoch(&other),
            },
            policy: OrgPolicy::default(),
            version: None,
            grant: GrantState::Missing,
        },
        Access {
            membership: Membership {
                org: world.org.id,
                slug: world.org.slug.clone(),
                role: role("triage"),
                epoch: epoch(&world.org),
            },
            policy: OrgPolicy {
                max_session_seconds: Some(1_800),
                factor_required: false,
            },
            version: Some(next(made.version)),
            grant: GrantState::Live,
        },
    ];
    let found = world.store.accesses(owner.id, session.id).await?;
    assert_eq!(found, expected);
    let renewal = world.store.renewal(session.id).await?;
    let renewal = renewal.unwrap_or_else(|| unreachable!("the session is stored"));
    assert_eq!(renewal.accesses, expected);
    let user = world.store.user(owner.id).await?;
    assert_eq!(user.as_ref().map(shown), Some(shown(&renewal.user)));
    let stored = world.store.session(session.id).await?;
    let stored = stored.unwrap_or_else(|| unreachable!("the session is stored"));
    assert_eq!(renewal.stored.owner, stored.owner);
    assert_eq!(renewal.stored.session.id, stored.session.id);
    assert_eq!(renewal.stored.session.refresh, stored.session.refresh);
    Ok(())
}

/// A grant that is missing, live or ended is the session's own, not another session's.
pub async fn a_grant_is_the_sessions_own(store: Store) -> Done {
    let world = World::new(store).await?;
    let session = world.opened(&world.founder).await?;
    let other = world.granted(&world.founder, world.org.id).await?;
    let state = grant_in(&world, &session, &world.org).await?;
    assert_eq!(state, Some(GrantState::Missing));
    let asked = grant(&session, world.org.id);
    world.store.open_grant(&asked, &[]).await?;
    let state = grant_in(&world, &session, &world.org).await?;
    assert_eq!(state, Some(GrantState::Live));
    world
        .store
        .end_grant(&world.ctx(), session.id, later(2), later(300), &[])
        .await?;
    let state = grant_in(&world, &session, &world.org).await?;
    assert_eq!(state, Some(GrantState::Ended));
    let state = grant_in(&world, &other, &world.org).await?;
    assert_eq!(state, Some(GrantState::Live));
    // A session that is not stored yet has none.
    let state = grant_in(&world, &world.session(&world.founder), &world.org).await?;
    assert_eq!(state, Some(GrantState::Missing));
    Ok(())
}

/// Whoever has left every organization has a session without any access; an unknown session has no renewal.
pub async fn who_belongs_nowhere_has_no_access(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let session = world.granted(&user, world.org.id).await?;
    let leave = RoleChange {
        user: user.id,
        from: role("viewer"),
        to: None,
        version: None,
        at: AT,
        tokens_expire_at: later(300),
    };
    world.store.change_role(&world.ctx(), &leave, &[]).await?;
    assert_eq!(world.store.accesses(user.id, session.id).await?, []);
    let renewal = world.store.renewal(session.id).await?;
    let found = renewal.as_ref().map(|it| (shown(&it.user), &it.accesses));
    assert_eq!(found, Some((shown(&user), &Vec::new())));
    assert!(world.store.renewal(world.id()).await?.is_none());
    Ok(())
}

/// Many people of several organizations who renew at once each get their own session and places, and nobody else's.
pub async fn renewals_at_once_keep_people_and_organizations_apart(store: Store) -> Done {
    let world = World::new(store).await?;
    let (first, ada) = world.second_org("aaa").await?;
    let (second, bob) = world.second_org("bbb").await?;
    world.rejoin(second.id, &ada, "viewer").await?;
    let eve = world.member(first.id, "eve", "auditor").await?;
    let mut sessions = Vec::new();
    for (person, org) in [
        (&world.founder, world.org.id),
        (&ada, first.id),
        (&ada, second.id),
        (&bob, second.id),
        (&eve, first.id),
    ] {
        sessions.push(world.granted(person, org).await?);
        sessions.push(world.opened(person).await?);
    }
    let renewals = race(sessions.iter().cycle().take(80).map(|session| {
        let (store, id) = (Arc::clone(&world.store), session.id);
        async move { store.renewal(id).await }
    }))
    .await?;
    for (session, renewal) in sessions.iter().cycle().zip(renewals) {
        let renewal = renewal.unwrap_or_else(|| unreachable!("the session is stored"));
        assert_eq!(renewal.stored.session.id, session.id);
        assert_eq!(renewal.user.id, session.user);
        let own = world.store.accesses(session.user, session.id).await?;
        assert!(!own.is_empty());
        assert_eq!(renewal.accesses, own);
    }
    Ok(())
}
