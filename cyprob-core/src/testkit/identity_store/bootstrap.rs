//! The first administrator.

use std::sync::Arc;

use super::world::{AT, Done, Draft, Store, World, later, race, role};
use crate::domain::TokenDigest;
use crate::domain::audit::Action;
use crate::ports::store::{BootstrapOutcome, MemberOutcome, RoleChange};

/// Only the armed token opens the door; behind it are the administrator, the organization and the membership.
pub async fn the_door_opens_once_to_the_armed_token(store: Store) -> Done {
    let draft = Draft::new();
    let founding = draft.founding("right", "first", AT);
    let event = draft.event(Action::DeploymentBootstrapped);
    assert!(!store.is_bootstrapped().await?);
    let unarmed = store.found(&founding, std::slice::from_ref(&event)).await?;
    assert_eq!(unarmed, BootstrapOutcome::BadToken);
    assert!(store.arm(TokenDigest::of("right"), later(60)).await?);
    let wrong = draft.founding("wrong", "second", AT);
    assert_eq!(store.found(&wrong, &[]).await?, BootstrapOutcome::BadToken);
    assert!(store.user(wrong.user.id).await?.is_none());
    assert!(!store.is_bootstrapped().await?);

    let done = store.found(&founding, std::slice::from_ref(&event)).await?;
    assert_eq!(done, BootstrapOutcome::Done);
    assert!(store.is_bootstrapped().await?);
    assert_eq!(store.pending(10).await?, [event]);
    let user = store.user(founding.user.id).await?;
    assert!(user.is_some_and(|user| user.administrator));
    assert_eq!(
        store.org(founding.org.id).await?.as_ref(),
        Some(&founding.org)
    );
    let memberships = store.memberships(founding.user.id).await?;
    assert_eq!(memberships.len(), 1);
    assert!(
        memberships
            .iter()
            .all(|place| place.org == founding.org.id && place.role == role("owner"))
    );

    let again = draft.founding("right", "third", AT);
    assert_eq!(store.found(&again, &[]).await?, BootstrapOutcome::Closed);
    assert!(!store.arm(TokenDigest::of("right"), later(60)).await?);
    assert_eq!(store.found(&again, &[]).await?, BootstrapOutcome::Closed);
    assert!(store.user(again.user.id).await?.is_none());
    Ok(())
}

/// A token opens while `at < expires_at`, and arming again voids the one before.
pub async fn a_token_opens_until_its_time_and_a_new_one_replaces_it(store: Store) -> Done {
    let draft = Draft::new();
    assert!(store.arm(TokenDigest::of("old"), later(60)).await?);
    let late = draft.founding("old", "late", later(60));
    assert_eq!(store.found(&late, &[]).await?, BootstrapOutcome::BadToken);
    assert!(store.arm(TokenDigest::of("new"), later(60)).await?);
    let replaced = draft.founding("old", "replaced", AT);
    assert_eq!(
        store.found(&replaced, &[]).await?,
        BootstrapOutcome::BadToken
    );
    let mut just = draft.founding("new", "just", later(60));
    just.at = just.at.before(std::time::Duration::from_micros(1));
    assert_eq!(store.found(&just, &[]).await?, BootstrapOutcome::Done);
    Ok(())
}

/// Of a race of founders with the right token one wins, and nothing of the others is there.
pub async fn of_many_founders_one_wins(store: Store) -> Done {
    let draft = Draft::new();
    store.arm(TokenDigest::of("right"), later(60)).await?;
    let all: Vec<_> = (0..8)
        .map(|n| {
            let founding = draft.founding("right", &format!("racer{n}"), AT);
            (founding, draft.event(Action::DeploymentBootstrapped))
        })
        .collect();
    let outcomes = race(all.clone().into_iter().map(|(founding, event)| {
        let store = Arc::clone(&store);
        async move { store.found(&founding, &[event]).await }
    }))
    .await?;
    let done: Vec<_> = all
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| **outcome == BootstrapOutcome::Done)
        .map(|(racer, _)| racer)
        .collect();
    assert_eq!(done.len(), 1, "{outcomes:?}");
    let closed = outcomes.iter().filter(|o| **o == BootstrapOutcome::Closed);
    assert_eq!(closed.count(), 7, "{outcomes:?}");
    for (founding, event) in &all {
        let won = done
            .iter()
            .any(|(winner, _)| winner.user.id == founding.user.id);
        assert_eq!(store.user(founding.user.id).await?.is_some(), won);
        assert_eq!(store.org(founding.org.id).await?.is_some(), won);
        if won {
            assert_eq!(
                store.pending(10).await?.as_slice(),
                std::slice::from_ref(event)
            );
        }
    }
    Ok(())
}

/// The door never opens again, not even when the first administrator leaves the organization.
pub async fn the_door_stays_shut_when_its_first_administrator_goes(store: Store) -> Done {
    let world = World::new(store).await?;
    world.member(world.org.id, "heir", "owner").await?;
    let removal = RoleChange {
        user: world.founder.id,
        from: role("owner"),
        to: None,
        version: None,
        at: later(2),
        tokens_expire_at: later(300),
    };
    let outcome = world.store.change_role(&world.ctx(), &removal, &[]).await?;
    assert!(matches!(outcome, MemberOutcome::Changed(_)), "{outcome:?}");
    assert!(world.store.is_bootstrapped().await?);
    assert!(
        !world
            .store
            .arm(TokenDigest::of("again"), later(600))
            .await?
    );
    let again = Draft::new().founding("again", "again", later(3));
    assert_eq!(
        world.store.found(&again, &[]).await?,
        BootstrapOutcome::Closed
    );
    Ok(())
}
