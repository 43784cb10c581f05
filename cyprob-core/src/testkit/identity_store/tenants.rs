//! What one organization can see and change of another: nothing.

use super::world::{Done, Store, World, display, later, role};
use crate::domain::audit::Action;
use crate::domain::{InvitationState, OrgCtx, PageRequest};
use crate::ports::store::{MemberOutcome, OrgChange, OrgUpdate, PolicyUpdate, RoleChange};

/// Nothing is listed for an organization that has nothing.
async fn expect_nothing(world: &World, ctx: &OrgCtx) -> Done {
    let (store, page) = (&world.store, PageRequest::default());
    assert!(store.invitations(ctx, &page).await?.items.is_empty());
    let grants = store.grants_of_org(ctx, later(2), &page).await?;
    assert!(grants.items.is_empty());
    Ok(())
}

/// No list and no look-up of one organization shows a person, invitation or session of another.
pub async fn another_organization_sees_nothing(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, owner) = world.second_org("other").await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    world.invited(world.org.id, "guest", "viewer").await?;
    world.granted(&user, world.org.id).await?;
    let theirs = world.ctx_of(other.id);
    let page = PageRequest::default();
    let members = world.store.members(&theirs, &page).await?;
    let ids: Vec<_> = members.items.iter().map(|member| member.user).collect();
    assert_eq!(ids, [owner.id]);
    for stranger in [user.id, world.founder.id] {
        assert_eq!(world.store.member(&theirs, stranger).await?, None);
    }
    let invitations = world.store.invitations(&theirs, &page).await?;
    assert!(invitations.items.iter().all(|it| it.org == other.id));
    assert_eq!(invitations.items.len(), 1, "the first owner's own");
    let grants = world.store.grants_of_org(&theirs, later(2), &page).await?;
    assert!(grants.items.is_empty());
    let ours = world.store.invitations(&world.ctx(), &page).await?;
    assert!(ours.items.iter().all(|it| it.org == world.org.id));
    Ok(())
}

/// No change that one organization asks for touches another, or records an event.
pub async fn another_organization_changes_nothing(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let invitation = world.invited(world.org.id, "guest", "viewer").await?;
    let session = world.granted(&user, world.org.id).await?;
    let (ours, theirs) = (world.ctx(), world.ctx_of(other.id));
    let before = world.store.memberships(user.id).await?;
    let event = [world.event(Action::MemberRoleChanged)];
    for to in [Some(role("owner")), None] {
        let change = RoleChange {
            user: user.id,
            from: role("viewer"),
            to,
            version: None,
            at: later(2),
            tokens_expire_at: later(300),
        };
        let outcome = world.store.change_role(&theirs, &change, &event).await?;
        assert_eq!(outcome, MemberOutcome::Raced);
    }
    let store = &world.store;
    let revoked = store
        .revoke_invitation(&theirs, invitation.id, later(2), &event)
        .await?;
    assert!(!revoked);
    let ended = store
        .end_grant(&theirs, session.id, later(2), later(300), &event)
        .await?;
    assert_eq!(ended, None);
    world.expect_events(&[]).await?;
    let change = OrgChange {
        update: OrgUpdate {
            name: Some(display("Taken over")),
            policy: PolicyUpdate {
                max_session_seconds: Some(Some(1)),
                factor_required: Some(true),
            },
        },
        at: later(2),
        tokens_expire_at: later(300),
    };
    store.update_org(&theirs, &change, &[]).await?;
    assert_eq!(store.org(world.org.id).await?.as_ref(), Some(&world.org));
    // An invitation goes into the organization of the proof, whatever it says itself.
    let forged = world.invitation(world.org.id, "forged", "owner");
    store.invite(&theirs, &forged, &[]).await?;
    let stored = store.invitation_by_token(&forged.token).await?;
    assert_eq!(stored.map(|it| it.org), Some(other.id));

    assert_eq!(store.memberships(user.id).await?, before);
    let invited = store.invitation_by_token(&invitation.token).await?;
    assert!(invited.is_some_and(|it| it.state(later(3)) == InvitationState::Open));
    let page = PageRequest::default();
    let grants = store.grants_of_org(&ours, later(3), &page).await?;
    assert_eq!(grants.items.len(), 1);
    assert!(store.live_revocations(later(0)).await?.is_empty());
    Ok(())
}

/// A proof for an organization that does not exist finds nothing and makes nothing.
pub async fn an_organization_that_is_not_there_has_nothing(store: Store) -> Done {
    let world = World::new(store).await?;
    world.granted(&world.founder, world.org.id).await?;
    let nowhere = world.ctx_of(world.id());
    expect_nothing(&world, &nowhere).await?;
    let page = PageRequest::default();
    let members = world.store.members(&nowhere, &page).await?;
    assert!(members.items.is_empty());
    let invitation = world.invitation(nowhere.org(), "guest", "owner");
    let made = world.store.invite(&nowhere, &invitation, &[]).await;
    assert!(made.is_err(), "an invitation into nowhere");
    let found = world.store.invitation_by_token(&invitation.token).await?;
    assert_eq!(found, None);
    Ok(())
}
