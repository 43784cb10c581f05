//! Invitations.

use std::sync::Arc;

use super::world::{AT, Done, Store, World, email, later, race, role, walk};
use crate::domain::audit::Action;
use crate::domain::{Invitation, InvitationState, Inviter, PageRequest, TokenDigest, User};
use crate::ports::store::{Acceptance, AcceptanceOutcome, Invitee, StoreError};

fn as_new(user: &User) -> Invitee {
    Invitee::New(Box::new(user.clone()))
}

async fn state(world: &World, invitation: &Invitation) -> Result<InvitationState, StoreError> {
    let found = world.store.invitation_by_token(&invitation.token).await?;
    Ok(found.map_or(InvitationState::Expired, |it| it.state(later(2))))
}

/// Every field is read as it was stored, by its token and in the list.
pub async fn an_invitation_comes_back_as_it_was(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut invitation = world.invitation(world.org.id, "guest", "operator");
    invitation.inviter = Inviter::User(world.founder.id);
    let event = world.event(Action::InvitationCreated);
    world
        .store
        .invite(&world.ctx(), &invitation, std::slice::from_ref(&event))
        .await?;
    let by_token = world.store.invitation_by_token(&invitation.token).await?;
    assert_eq!(by_token.as_ref(), Some(&invitation));
    let page = PageRequest::default();
    let listed = world.store.invitations(&world.ctx(), &page).await?;
    assert_eq!(listed.items, [invitation]);
    let unknown = TokenDigest::of("unknown");
    assert_eq!(world.store.invitation_by_token(&unknown).await?, None);
    world.expect_events(&[&event]).await
}

/// A person without an account gets one and the membership, and the invitation is used up.
pub async fn a_stranger_accepts_and_gets_an_account(store: Store) -> Done {
    let world = World::new(store).await?;
    let invitation = world.invited(world.org.id, "guest", "operator").await?;
    let mut guest = world.user("guest");
    guest.email_verified = false;
    let event = world.event(Action::InvitationAccepted);
    let outcome = world
        .accept(&invitation, as_new(&guest), std::slice::from_ref(&event))
        .await?;
    assert_eq!(outcome, AcceptanceOutcome::Accepted);
    let user = world.store.user_by_email(&email("guest")).await?;
    assert!(user.is_some_and(|user| user.id == guest.id && !user.email_verified));
    let member = world.store.member(&world.ctx(), guest.id).await?;
    assert!(member.is_some_and(|it| it.role == role("operator") && it.since == later(1)));
    let used = world.store.invitation_by_token(&invitation.token).await?;
    assert_eq!(used.and_then(|used| used.accepted_at), Some(later(1)));
    world.expect_events(&[&event]).await
}

/// A person with an account becomes a member; the account stays as it was.
pub async fn a_person_with_an_account_accepts(store: Store) -> Done {
    let world = World::new(store).await?;
    let (_, guest) = world.second_org("guest").await?;
    let invitation = world.invited(world.org.id, "guest", "auditor").await?;
    let outcome = world
        .accept(&invitation, Invitee::Existing(guest.id), &[])
        .await?;
    assert_eq!(outcome, AcceptanceOutcome::Accepted);
    let member = world.store.member(&world.ctx(), guest.id).await?;
    assert_eq!(member.map(|member| member.role), Some(role("auditor")));
    let stored = world.store.user(guest.id).await?;
    assert!(stored.is_some_and(|it| it.epoch == guest.epoch && it.password.is_some()));
    assert_eq!(world.store.memberships(guest.id).await?.len(), 2);
    Ok(())
}

/// An unknown, foreign, expired, withdrawn or used token lets nobody in, makes no account and records nothing.
pub async fn an_invitation_that_is_not_open_is_gone(store: Store) -> Done {
    let world = World::new(store).await?;
    let org = world.org.id;
    let event = world.event(Action::InvitationAccepted);
    let open = world.invited(org, "open", "viewer").await?;
    let other = world.invited(org, "other", "viewer").await?;
    let withdrawn = world.invited(org, "withdrawn", "viewer").await?;
    let at = later(0);
    let store = &world.store;
    assert!(
        store
            .revoke_invitation(&world.ctx(), withdrawn.id, at, &[])
            .await?
    );
    let used = world.invited(org, "used", "viewer").await?;
    world
        .accept(&used, as_new(&world.user("used")), &[])
        .await?;
    let good = Acceptance {
        invitation: open.id,
        token: open.token,
        invitee: as_new(&world.user("late")),
        version: None,
        at: AT,
    };
    let mut expired = good.clone();
    expired.at = open.expires_at;
    let mut unknown = good.clone();
    unknown.token = TokenDigest::of("unknown");
    let mut foreign = good.clone();
    foreign.token = other.token;
    let mut was_withdrawn = good.clone();
    (was_withdrawn.invitation, was_withdrawn.token) = (withdrawn.id, withdrawn.token);
    let mut was_used = good.clone();
    (was_used.invitation, was_used.token) = (used.id, used.token);
    for acceptance in [expired, unknown, foreign, was_withdrawn, was_used] {
        let outcome = store
            .accept(&acceptance, std::slice::from_ref(&event))
            .await?;
        assert_eq!(outcome, AcceptanceOutcome::Gone);
    }
    assert!(store.user_by_email(&email("late")).await?.is_none());
    assert_eq!(state(&world, &open).await?, InvitationState::Open);
    assert_eq!(state(&world, &other).await?, InvitationState::Open);
    world.expect_events(&[]).await
}

/// Of a race with one token one is let in, and one account is made.
pub async fn of_many_who_accept_one_is_let_in(store: Store) -> Done {
    let world = World::new(store).await?;
    let invitation = world.invited(world.org.id, "guest", "viewer").await?;
    let guests: Vec<User> = (0..16).map(|n| world.user(&format!("guest{n}"))).collect();
    let outcomes = race(guests.iter().map(|guest| {
        let store = Arc::clone(&world.store);
        let acceptance = Acceptance {
            invitation: invitation.id,
            token: invitation.token,
            invitee: as_new(guest),
            version: None,
            at: later(1),
        };
        let event = world.event(Action::InvitationAccepted);
        async move { store.accept(&acceptance, &[event]).await }
    }))
    .await?;
    let accepted = outcomes
        .iter()
        .filter(|it| **it == AcceptanceOutcome::Accepted);
    assert_eq!(accepted.count(), 1, "{outcomes:?}");
    let gone = outcomes.iter().filter(|it| **it == AcceptanceOutcome::Gone);
    assert_eq!(gone.count(), 15, "{outcomes:?}");
    let mut accounts = 0;
    for guest in &guests {
        accounts += usize::from(world.store.user(guest.id).await?.is_some());
    }
    assert_eq!(accounts, 1);
    let page = PageRequest::default();
    assert_eq!(
        world.store.members(&world.ctx(), &page).await?.items.len(),
        2
    );
    assert_eq!(world.recorded().await?.len(), 1);
    Ok(())
}

/// If the address has an account by now, no second is made and the invitation stays open for the first.
pub async fn a_taken_address_leaves_it_open(store: Store) -> Done {
    let world = World::new(store).await?;
    let (_, guest) = world.second_org("guest").await?;
    let invitation = world.invited(world.org.id, "guest", "viewer").await?;
    let second = world.user("guest");
    let event = world.event(Action::InvitationAccepted);
    let outcome = world.accept(&invitation, as_new(&second), &[event]).await?;
    assert_eq!(outcome, AcceptanceOutcome::EmailTaken);
    assert!(world.store.user(second.id).await?.is_none());
    assert_eq!(state(&world, &invitation).await?, InvitationState::Open);
    world.expect_events(&[]).await?;
    let outcome = world
        .accept(&invitation, Invitee::Existing(guest.id), &[])
        .await?;
    assert_eq!(outcome, AcceptanceOutcome::Accepted);
    Ok(())
}

/// A member who accepts again keeps the role, and the invitation stays open.
pub async fn a_member_already_leaves_it_open(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let before = world.store.memberships(user.id).await?;
    let invitation = world.invited(world.org.id, "user", "owner").await?;
    let event = world.event(Action::InvitationAccepted);
    let outcome = world
        .accept(&invitation, Invitee::Existing(user.id), &[event])
        .await?;
    assert_eq!(outcome, AcceptanceOutcome::AlreadyMember);
    assert_eq!(world.store.memberships(user.id).await?, before);
    assert_eq!(state(&world, &invitation).await?, InvitationState::Open);
    world.expect_events(&[]).await
}

/// An open invitation is withdrawn once; an expired, used or unknown one is not.
pub async fn it_is_withdrawn_once(store: Store) -> Done {
    let world = World::new(store).await?;
    let (ctx, store) = (world.ctx(), &world.store);
    let open = world.invited(world.org.id, "open", "viewer").await?;
    let expired = world.invited(world.org.id, "expired", "viewer").await?;
    let used = world.invited(world.org.id, "used", "viewer").await?;
    world
        .accept(&used, as_new(&world.user("used")), &[])
        .await?;
    let event = world.event(Action::InvitationRevoked);
    let once = [event.clone()];
    assert!(
        store
            .revoke_invitation(&ctx, open.id, later(2), &once)
            .await?
    );
    let found = store.invitation_by_token(&open.token).await?;
    assert_eq!(found.and_then(|found| found.revoked_at), Some(later(2)));
    let again = [world.event(Action::InvitationRevoked)];
    assert!(
        !store
            .revoke_invitation(&ctx, open.id, later(3), &again)
            .await?
    );
    let late = expired.expires_at;
    assert!(
        !store
            .revoke_invitation(&ctx, expired.id, late, &again)
            .await?
    );
    assert!(
        !store
            .revoke_invitation(&ctx, used.id, later(3), &again)
            .await?
    );
    assert!(
        !store
            .revoke_invitation(&ctx, world.id(), later(3), &again)
            .await?
    );
    let found = store.invitation_by_token(&open.token).await?;
    assert_eq!(found.and_then(|found| found.revoked_at), Some(later(2)));
    assert_eq!(state(&world, &used).await?, InvitationState::Accepted);
    world.expect_events(&[&event]).await
}

/// Of a race between withdrawal and acceptance exactly one takes effect.
pub async fn of_withdrawal_and_acceptance_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    for round in 0..8 {
        let name = format!("guest{round}");
        let invitation = world.invited(world.org.id, &name, "viewer").await?;
        let guest = world.user(&name);
        let won = race([true, false].map(|accepts| {
            let (store, ctx) = (Arc::clone(&world.store), world.ctx());
            let acceptance = Acceptance {
                invitation: invitation.id,
                token: invitation.token,
                invitee: as_new(&guest),
                version: None,
                at: later(1),
            };
            async move {
                if accepts {
                    let outcome = store.accept(&acceptance, &[]).await?;
                    Ok(outcome == AcceptanceOutcome::Accepted)
                } else {
                    let id = acceptance.invitation;
                    store.revoke_invitation(&ctx, id, later(1), &[]).await
                }
            }
        }))
        .await?;
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
        let member = world.store.member(&world.ctx(), guest.id).await?;
        assert_eq!(Some(&member.is_some()), won.first());
    }
    Ok(())
}

/// The list holds every invitation of the organization once, by id, whatever its state.
pub async fn invitations_come_in_pages(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut expected = Vec::new();
    for n in 0..7 {
        let name = format!("guest{n}");
        expected.push(world.invited(world.org.id, &name, "viewer").await?.id);
    }
    if let Some(first) = expected.first() {
        let at = later(0);
        world
            .store
            .revoke_invitation(&world.ctx(), *first, at, &[])
            .await?;
    }
    world.second_org("other").await?;
    expected.sort_unstable();
    for limit in [1, 3, 6, 7, 8] {
        let ctx = world.ctx();
        let found = walk(limit, async |page| {
            world.store.invitations(&ctx, &page).await
        })
        .await?;
        let ids: Vec<_> = found.iter().map(|invitation| invitation.id).collect();
        assert_eq!(ids, expected, "pages of {limit}");
    }
    Ok(())
}
