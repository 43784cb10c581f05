//! Reviews of an organization's roles.

use std::sync::Arc;

use super::world::{Done, Store, World, later, race, role, walk};
use crate::domain::audit::Action;
use crate::domain::{
    HeldRole, Inviter, MappingDigest, OrgCtx, OrgId, PageRequest, ReviewId, ReviewNote,
    ReviewRecord, RoleReview, SignOff, User,
};
use crate::ports::store::{Invitee, RoleChange, SignOffOutcome, StoreError};

fn note(text: &str) -> ReviewNote {
    match text.parse() {
        Ok(note) => note,
        Err(_) => unreachable!("a note of the suite is refused: {text}"),
    }
}

fn sign_off(by: &User, seconds: i64) -> SignOff {
    SignOff {
        by: by.id,
        at: later(seconds),
        note: note("looked at each \u{1f980}"),
        self_reviewed: false,
    }
}

async fn mapping(world: &World, org: &OrgCtx) -> Result<Vec<HeldRole>, StoreError> {
    let holders = world.store.role_holders(org).await?;
    Ok(holders.into_iter().map(|holder| holder.held).collect())
}

/// A review of the roles as they are, not stored yet.
async fn drafted(world: &World, org: OrgId, seconds: i64) -> Result<RoleReview, StoreError> {
    let mapping = mapping(world, &world.ctx_of(org)).await?;
    let record = ReviewRecord {
        id: world.id(),
        digest: MappingDigest::of(org, &mapping),
        members: u32::try_from(mapping.len()).unwrap_or(u32::MAX),
        opened_by: world.founder.id,
        opened_at: later(seconds),
        signed: None,
    };
    Ok(RoleReview { record, mapping })
}

async fn opened(world: &World, seconds: i64) -> Result<RoleReview, StoreError> {
    let review = drafted(world, world.org.id, seconds).await?;
    world.store.open_review(&world.ctx(), &review, &[]).await?;
    Ok(review)
}

async fn signed(world: &World, seconds: i64) -> Result<ReviewRecord, StoreError> {
    let review = opened(world, seconds).await?;
    let id = review.record.id;
    let sign_off = sign_off(&world.founder, seconds);
    let ctx = world.ctx();
    let outcome = world.store.sign_review(&ctx, id, &sign_off, &[]).await?;
    let SignOffOutcome::Signed(record) = outcome else {
        unreachable!("a review of the roles of now was not signed")
    };
    Ok(record)
}

async fn change(world: &World, by: &OrgCtx, user: &User, from: &str, to: Option<&str>) -> Done {
    let change = RoleChange {
        user: user.id,
        from: role(from),
        to: to.map(role),
        version: None,
        at: later(20),
        tokens_expire_at: later(300),
    };
    world.store.change_role(by, &change, &[]).await?;
    Ok(())
}

/// Everyone who is a member stands in the mapping, with role, beginning and last use in this organization.
pub async fn the_mapping_is_of_those_who_are_members(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    let used = world.member(world.org.id, "used", "auditor").await?;
    let gone = world.member(world.org.id, "gone", "viewer").await?;
    world.granted(&used, world.org.id).await?;
    world.granted(&world.founder, other.id).await?;
    change(&world, &world.ctx(), &gone, "viewer", None).await?;
    let holders = world.store.role_holders(&world.ctx()).await?;
    let mut expected = [
        (&world.founder, "owner", None),
        (&used, "auditor", Some(later(0))),
    ];
    expected.sort_by_key(|(user, ..)| user.id);
    assert_eq!(holders.len(), expected.len(), "{holders:?}");
    for (holder, (user, name, last_used_at)) in holders.iter().zip(expected) {
        assert_eq!((&holder.email, &holder.name), (&user.email, &user.name));
        assert_eq!(
            (holder.held.user, &holder.held.role),
            (user.id, &role(name))
        );
        assert_eq!(holder.held.last_used_at, last_used_at);
    }
    Ok(())
}

/// A review reads back as it was opened; opening another one takes its place.
pub async fn an_open_review_comes_back_and_is_replaced(store: Store) -> Done {
    let world = World::new(store).await?;
    world.member(world.org.id, "user", "viewer").await?;
    let (store, ctx) = (Arc::clone(&world.store), world.ctx());
    let first = drafted(&world, world.org.id, 5).await?;
    let event = world.event(Action::RoleReviewOpened);
    store
        .open_review(&ctx, &first, std::slice::from_ref(&event))
        .await?;
    let id = first.record.id;
    assert_eq!(store.review(&ctx, id).await?.as_ref(), Some(&first));
    let second = opened(&world, 6).await?;
    assert_eq!(store.review(&ctx, id).await?, None);
    assert_eq!(
        store.review(&ctx, second.record.id).await?,
        Some(second.clone())
    );
    let page = store.reviews(&ctx, &PageRequest::default()).await?;
    assert_eq!(page.items, [second.record]);
    assert_eq!(store.last_signed_review(&ctx).await?, None);
    world.expect_events(&[&event]).await
}

/// A review is signed once, reads back with its sign-off and stays when others are opened and signed.
pub async fn a_review_is_signed_once_and_stays(store: Store) -> Done {
    let world = World::new(store).await?;
    let (store, ctx) = (Arc::clone(&world.store), world.ctx());
    let review = opened(&world, 5).await?;
    let id = review.record.id;
    let mut sign_off = sign_off(&world.founder, 6);
    sign_off.self_reviewed = true;
    let event = world.event(Action::RoleReviewSigned);
    let outcome = store
        .sign_review(&ctx, id, &sign_off, std::slice::from_ref(&event))
        .await?;
    let mut record = review.record.clone();
    record.signed = Some(sign_off.clone());
    assert_eq!(outcome, SignOffOutcome::Signed(record.clone()));
    let again = [world.event(Action::RoleReviewSigned)];
    let other = self::sign_off(&world.founder, 7);
    let outcome = store.sign_review(&ctx, id, &other, &again).await?;
    assert_eq!(outcome, SignOffOutcome::AlreadySigned);
    signed(&world, 8).await?;
    opened(&world, 9).await?;
    let stored = store.review(&ctx, id).await?;
    assert_eq!(stored.as_ref().map(|it| &it.record), Some(&record));
    assert_eq!(stored.map(|it| it.mapping), Some(review.mapping));
    world.expect_events(&[&event]).await
}

/// A review of other roles than those of now is not signed, and of an unknown one there is none.
pub async fn a_review_of_other_roles_is_not_signed(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (store, ctx) = (Arc::clone(&world.store), world.ctx());
    let sign_off = sign_off(&world.founder, 30);
    let event = [world.event(Action::RoleReviewSigned)];
    let changes: [(&str, Option<&str>); 2] = [("viewer", Some("admin")), ("admin", None)];
    for (from, to) in changes {
        let review = opened(&world, 5).await?;
        change(&world, &ctx, &user, from, to).await?;
        let id = review.record.id;
        let outcome = store.sign_review(&ctx, id, &sign_off, &event).await?;
        assert_eq!(outcome, SignOffOutcome::Changed);
        let stored = store.review(&ctx, id).await?;
        assert_eq!(stored, Some(review), "it stays open");
    }
    let review = opened(&world, 5).await?;
    world.member(world.org.id, "new", "viewer").await?;
    let id = review.record.id;
    let outcome = store.sign_review(&ctx, id, &sign_off, &event).await?;
    assert_eq!(outcome, SignOffOutcome::Changed);
    let unknown: ReviewId = world.id();
    let outcome = store.sign_review(&ctx, unknown, &sign_off, &event).await?;
    assert_eq!(outcome, SignOffOutcome::NotFound);
    assert_eq!(store.last_signed_review(&ctx).await?, None);
    world.expect_events(&[]).await
}

/// Of many who sign one review in a race one does.
pub async fn of_many_signers_one_wins(store: Store) -> Done {
    let world = World::new(store).await?;
    let review = opened(&world, 5).await?;
    let id = review.record.id;
    let outcomes = race((0..8).map(|n| {
        let (store, ctx) = (Arc::clone(&world.store), world.ctx());
        let sign_off = sign_off(&world.founder, 10 + n);
        let event = world.event(Action::RoleReviewSigned);
        async move { store.sign_review(&ctx, id, &sign_off, &[event]).await }
    }))
    .await?;
    let won = outcomes.iter().filter_map(|outcome| match outcome {
        SignOffOutcome::Signed(record) => Some(record),
        _ => None,
    });
    let won: Vec<_> = won.collect();
    assert_eq!(won.len(), 1, "{outcomes:?}");
    let stored = world.store.review(&world.ctx(), id).await?;
    assert_eq!(stored.as_ref().map(|it| &it.record), won.first().copied());
    assert_eq!(world.recorded().await?.len(), 1);
    Ok(())
}

/// Whoever changed a membership last is known, from that time on, in that organization alone.
pub async fn who_changed_a_role_last_is_known(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("other").await?;
    let admin = world.member(world.org.id, "admin", "admin").await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (store, ctx) = (Arc::clone(&world.store), world.ctx());
    let by_admin = world.ctx_by(world.org.id, &admin);
    assert!(!store.changed_roles(&ctx, admin.id, later(0)).await?);
    change(&world, &by_admin, &user, "viewer", Some("analyst")).await?;
    for (since, changed) in [(later(0), true), (later(20), true), (later(21), false)] {
        let found = store.changed_roles(&ctx, admin.id, since).await?;
        assert_eq!(found, changed, "since {since}");
    }
    assert!(
        !store
            .changed_roles(&ctx, world.founder.id, later(0))
            .await?
    );
    let elsewhere = world.ctx_of(other.id);
    assert!(!store.changed_roles(&elsewhere, admin.id, later(0)).await?);
    // A removal counts as well, and so does an invitation that was accepted.
    let by_founder = world.ctx_by(world.org.id, &world.founder);
    change(&world, &by_founder, &user, "analyst", None).await?;
    assert!(!store.changed_roles(&ctx, admin.id, later(0)).await?);
    assert!(
        store
            .changed_roles(&ctx, world.founder.id, later(20))
            .await?
    );
    let mut invitation = world.invitation(world.org.id, "user", "viewer");
    invitation.inviter = Inviter::User(admin.id);
    store.invite(&ctx, &invitation, &[]).await?;
    let invitee = Invitee::Existing(user.id);
    world.accept(&invitation, invitee, &[]).await?;
    assert!(store.changed_roles(&ctx, admin.id, later(0)).await?);
    Ok(())
}

/// The list holds every review of the organization once, by id; the last signed one is of the latest mapping.
pub async fn reviews_come_in_pages(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, owner) = world.second_org("other").await?;
    let mut expected = Vec::new();
    for n in 0..5 {
        expected.push(signed(&world, n).await?);
    }
    let last = expected.last().cloned();
    expected.push(opened(&world, 6).await?.record);
    expected.sort_unstable_by_key(|record| record.id);
    let theirs = drafted(&world, other.id, 50).await?;
    let elsewhere = world.ctx_of(other.id);
    world.store.open_review(&elsewhere, &theirs, &[]).await?;
    let id = theirs.record.id;
    let outcome = world
        .store
        .sign_review(&elsewhere, id, &sign_off(&owner, 51), &[])
        .await?;
    assert!(matches!(outcome, SignOffOutcome::Signed(_)));
    let ctx = world.ctx();
    for limit in [1, 3, 5, 6, 7] {
        let found = walk(limit, async |page| world.store.reviews(&ctx, &page).await).await?;
        assert_eq!(found, expected, "pages of {limit}");
    }
    assert_eq!(world.store.last_signed_review(&ctx).await?, last);
    Ok(())
}

/// Another organization neither sees, replaces nor signs a review.
pub async fn a_review_is_its_organizations_alone(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, owner) = world.second_org("other").await?;
    let (store, theirs) = (Arc::clone(&world.store), world.ctx_of(other.id));
    let review = opened(&world, 5).await?;
    let id = review.record.id;
    assert_eq!(store.review(&theirs, id).await?, None);
    let page = store.reviews(&theirs, &PageRequest::default()).await?;
    assert!(page.items.is_empty());
    let event = [world.event(Action::RoleReviewSigned)];
    let outcome = store
        .sign_review(&theirs, id, &sign_off(&owner, 6), &event)
        .await?;
    assert_eq!(outcome, SignOffOutcome::NotFound);
    let own = drafted(&world, other.id, 7).await?;
    store.open_review(&theirs, &own, &[]).await?;
    assert_eq!(store.review(&world.ctx(), id).await?, Some(review));
    let nowhere = world.ctx_of(world.id());
    assert!(store.role_holders(&nowhere).await?.is_empty());
    let mut lost = own;
    lost.record.id = world.id();
    assert!(store.open_review(&nowhere, &lost, &[]).await.is_err());
    world.expect_events(&[]).await
}
