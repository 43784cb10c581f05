//! Whether what a token says still stands.

use super::world::{Done, Store, World, grant, later, role};
use crate::domain::audit::Action;
use crate::domain::{EndReason, Epoch, OrgId, Session, User};
use crate::ports::store::{
    Claimed, GrantOutcome, MemberOutcome, RoleChange, SessionEnd, Standing, StoreError,
};

/// What a token of a session says now, for an organization or none.
async fn claimed(
    world: &World,
    session: &Session,
    org: Option<OrgId>,
) -> Result<Claimed, StoreError> {
    let places = world.store.memberships(session.user).await?;
    let epoch = |org| {
        places
            .iter()
            .find(|place| place.org == org)
            .map(|place| place.epoch)
    };
    Ok(Claimed {
        user: session.user,
        user_epoch: session.credential_epoch,
        session: session.id,
        member: org.map(|org| (org, epoch(org).unwrap_or_default())),
    })
}

async fn stands(world: &World, claimed: &Claimed) -> Result<bool, StoreError> {
    Ok(world.store.standing(claimed).await? == Standing::Stands)
}

/// A viewer of the world's organization, with a session and its grant.
async fn viewer(world: &World) -> Result<(User, Session), StoreError> {
    let user = world.member(world.org.id, "user", "viewer").await?;
    let session = world.granted(&user, world.org.id).await?;
    Ok((user, session))
}

/// A token stands as it was minted, and not with anything else in any of its parts.
pub async fn a_token_stands_in_all_its_parts(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, session) = viewer(&world).await?;
    let (other, owner) = world.second_org("other").await?;
    let theirs = world.granted(&owner, other.id).await?;
    for org in [None, Some(world.org.id)] {
        let good = claimed(&world, &session, org).await?;
        assert!(stands(&world, &good).await?, "{org:?}");
        let old = Epoch::new(7);
        for bad in [
            Claimed {
                user: owner.id,
                ..good
            },
            Claimed {
                user: world.id(),
                ..good
            },
            Claimed {
                user_epoch: old,
                ..good
            },
            Claimed {
                session: theirs.id,
                ..good
            },
            Claimed {
                session: world.id(),
                ..good
            },
            Claimed {
                member: Some((other.id, Epoch::FIRST)),
                ..good
            },
            Claimed {
                member: Some((world.id(), Epoch::FIRST)),
                ..good
            },
            Claimed {
                member: Some((world.org.id, old)),
                ..good
            },
        ] {
            assert!(!stands(&world, &bad).await?, "{bad:?}");
        }
    }
    // A session without a grant stands for no organization.
    let bare = world.opened(&user).await?;
    assert!(stands(&world, &claimed(&world, &bare, None).await?).await?);
    assert!(!stands(&world, &claimed(&world, &bare, Some(world.org.id)).await?).await?);
    Ok(())
}

/// A token falls with its session, and no other does.
pub async fn a_token_falls_with_its_session(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, session) = viewer(&world).await?;
    let kept = world.granted(&user, world.org.id).await?;
    let end = SessionEnd {
        user: user.id,
        session: session.id,
        reason: EndReason::Logout,
        at: later(2),
        tokens_expire_at: later(300),
    };
    assert!(world.store.end_session(&end, &[]).await?.is_some());
    for org in [None, Some(world.org.id)] {
        assert!(!stands(&world, &claimed(&world, &session, org).await?).await?);
        assert!(stands(&world, &claimed(&world, &kept, org).await?).await?);
    }
    Ok(())
}

/// A token for an organization falls with its grant; the session goes on elsewhere.
pub async fn a_token_falls_with_its_grant(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, session) = viewer(&world).await?;
    let (other, _) = world.second_org("other").await?;
    world.rejoin(other.id, &user, "viewer").await?;
    let asked = grant(&session, other.id);
    let opened = world
        .store
        .open_grant(&asked, &[world.event(Action::GrantOpened)])
        .await?;
    assert_eq!(opened, GrantOutcome::Opened);
    let ctx = world.ctx();
    let ended = world
        .store
        .end_grant(&ctx, session.id, later(2), later(300), &[])
        .await?;
    assert!(ended.is_some());
    assert!(
        !stands(
            &world,
            &claimed(&world, &session, Some(world.org.id)).await?
        )
        .await?
    );
    assert!(stands(&world, &claimed(&world, &session, Some(other.id)).await?).await?);
    assert!(stands(&world, &claimed(&world, &session, None).await?).await?);
    Ok(())
}

/// A token for an organization falls with the role it was minted for, and with the membership.
pub async fn a_token_falls_with_its_membership(store: Store) -> Done {
    let world = World::new(store).await?;
    let (user, session) = viewer(&world).await?;
    let org = Some(world.org.id);
    for (from, to) in [("viewer", Some("admin")), ("admin", None)] {
        let before = claimed(&world, &session, org).await?;
        assert!(stands(&world, &before).await?);
        let change = RoleChange {
            user: user.id,
            from: role(from),
            to: to.map(role),
            version: None,
            at: later(2),
            tokens_expire_at: later(300),
        };
        let outcome = world.store.change_role(&world.ctx(), &change, &[]).await?;
        assert!(matches!(outcome, MemberOutcome::Changed(_)));
        assert!(!stands(&world, &before).await?);
    }
    assert!(stands(&world, &claimed(&world, &session, None).await?).await?);
    Ok(())
}
