//! Accounts.

use super::world::{Done, Store, World, display, email, later, password, role};
use crate::domain::{User, UserId};

/// What of an account can be compared.
pub(super) fn shown(user: &User) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        (
            user.id,
            user.email.clone(),
            user.email_verified,
            user.name.clone(),
        ),
        user.password
            .as_ref()
            .map(|hash| hash.expose_phc().to_owned()),
        (
            user.epoch,
            user.administrator,
            user.disabled_at,
            user.created_at,
        ),
    )
}

/// Every field of an account is read as it was stored, by id and by address.
pub async fn an_account_comes_back_as_it_was(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut odd = world.user("odd");
    odd.email_verified = false;
    odd.password = None;
    odd.disabled_at = Some(later(9));
    odd.name = display("O'Brien; DROP TABLE \u{1f980}");
    let invitation = world.invited(world.org.id, "odd", "viewer").await?;
    let invitee = crate::ports::store::Invitee::New(Box::new(odd.clone()));
    world.accept(&invitation, invitee, &[]).await?;
    let plain = world.member(world.org.id, "plain", "viewer").await?;
    for user in [&odd, &plain, &world.founder] {
        let by_id = world.store.user(user.id).await?;
        let by_email = world.store.user_by_email(&user.email).await?;
        for found in [by_id, by_email] {
            assert_eq!(found.as_ref().map(shown), Some(shown(user)));
        }
        let account = world.store.account_by_email(&user.email).await?;
        let account = account.map(|account| (shown(&account.user), account.factor));
        assert_eq!(account, Some((shown(user), None)));
    }
    Ok(())
}

/// An unknown id and an unknown address are `None`, and an unknown person has no memberships.
pub async fn who_is_not_there_is_none(store: Store) -> Done {
    let world = World::new(store).await?;
    let nobody: UserId = world.id();
    assert!(world.store.user(nobody).await?.is_none());
    assert!(world.store.user_by_email(&email("nobody")).await?.is_none());
    let account = world.store.account_by_email(&email("nobody")).await?;
    assert!(account.is_none());
    assert!(world.store.memberships(nobody).await?.is_empty());
    Ok(())
}

/// A renewed hash is stored only in the place of the one that was checked.
pub async fn a_rehash_replaces_the_same_form_alone(store: Store) -> Done {
    let world = World::new(store).await?;
    let other = world.member(world.org.id, "other", "viewer").await?;
    let user = world.founder.id;
    let (first, second) = (password("$argon2id$first"), password("$argon2id$second"));
    let stored = async |id| {
        let user = world.store.user(id).await?;
        let hash = user.and_then(|user| user.password);
        Ok::<_, crate::ports::store::StoreError>(hash.map(|hash| hash.expose_phc().to_owned()))
    };
    world.store.rehash(user, &second, &password("x")).await?;
    assert_eq!(stored(user).await?.as_deref(), Some("$argon2id$first"));
    world.store.rehash(user, &first, &second).await?;
    assert_eq!(stored(user).await?.as_deref(), Some("$argon2id$second"));
    assert_eq!(stored(other.id).await?.as_deref(), Some("$argon2id$first"));
    world.store.rehash(world.id(), &first, &second).await?;
    let epoch = world.store.user(user).await?.map(|user| user.epoch);
    assert_eq!(epoch, Some(world.founder.epoch), "a rehash ended sessions");
    world.expect_events(&[]).await
}

/// A person's organizations are listed by slug, with role and epoch, and no one else's.
pub async fn memberships_come_by_slug(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    for (name, as_role) in [("zeta", "admin"), ("alpha", "operator")] {
        let (org, _) = world.second_org(name).await?;
        world.rejoin(org.id, &user, as_role).await?;
    }
    world.second_org("beta").await?;
    let found: Vec<_> = world
        .store
        .memberships(user.id)
        .await?
        .into_iter()
        .map(|place| (place.slug.to_string(), place.role))
        .collect();
    let expected = [
        ("alpha".to_owned(), role("operator")),
        ("founder".to_owned(), role("viewer")),
        ("zeta".to_owned(), role("admin")),
    ];
    assert_eq!(found, expected);
    Ok(())
}
