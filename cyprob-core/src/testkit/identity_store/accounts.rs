//! Accounts under the deployment's administration.

use std::sync::Arc;

use super::world::{AT, Done, Store, World, grant, later, race, walk};
use crate::domain::audit::Action;
use crate::domain::{PageRequest, Revocation, RevocationEntry, Session, SessionId, UserId, Whose};
use crate::ports::store::{
    DisableOutcome, EnableOutcome, GrantOutcome, MassEnd, MassEnded, StoreError,
};

fn end(whose: Whose, keep: Option<SessionId>) -> MassEnd {
    MassEnd {
        whose,
        keep,
        at: later(2),
        tokens_expire_at: later(300),
    }
}

fn ended(end: &MassEnd, count: u64) -> MassEnded {
    let what = Revocation::Opened(end.whose, end.at, end.keep);
    let expires_at = end.tokens_expire_at;
    MassEnded {
        ended: count,
        entry: RevocationEntry { what, expires_at },
    }
}

impl World {
    async fn disable(&self, user: UserId) -> Result<DisableOutcome, StoreError> {
        let event = self.event(Action::UserDisabled);
        let until = later(300);
        self.store
            .disable_user(user, later(2), until, &[event])
            .await
    }
}

/// Switching off ends the sessions and grows the epoch; switching on brings back no session.
pub async fn a_disabled_account_is_over_and_comes_back(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let session = world.granted(&user, world.org.id).await?;
    let entry = RevocationEntry {
        what: Revocation::User(user.id, user.epoch.next()),
        expires_at: later(300),
    };
    let off = world.disable(user.id).await?;
    assert_eq!(off, DisableOutcome::Disabled(entry));
    assert_eq!(world.store.live_revocations(AT).await?, [entry]);
    let read = world.store.user(user.id).await?;
    let read = read.map(|read| (read.disabled_at, read.epoch));
    assert_eq!(read, Some((Some(later(2)), user.epoch.next())));
    assert!(!world.is_live(&session).await?);
    let listed = async || -> Result<Vec<bool>, StoreError> {
        let all = PageRequest::default();
        let members = world.store.members(&world.ctx(), &all).await?;
        let one = world.store.member(&world.ctx(), user.id).await?;
        let listed = members.items.into_iter().filter(|it| it.user == user.id);
        Ok(listed.chain(one).map(|member| member.disabled).collect())
    };
    assert_eq!(listed().await?, [true, true]);
    assert_eq!(world.disable(user.id).await?, DisableOutcome::Unchanged);
    assert_eq!(world.disable(world.id()).await?, DisableOutcome::NotFound);
    let event = world.event(Action::UserEnabled);
    let events = std::slice::from_ref(&event);
    let (store, nobody) = (&world.store, world.id());
    assert_eq!(
        store.enable_user(user.id, events).await?,
        EnableOutcome::Enabled
    );
    assert_eq!(
        store.enable_user(user.id, events).await?,
        EnableOutcome::Unchanged
    );
    assert_eq!(
        store.enable_user(nobody, events).await?,
        EnableOutcome::NotFound
    );
    assert_eq!(listed().await?, [false, false]);
    assert!(!world.is_live(&session).await?);
    let stored = world.store.session(session.id).await?;
    assert!(stored.is_some_and(|it| it.session.ended_at.is_some()));
    assert_eq!(world.recorded().await?.len(), 2);
    Ok(())
}

/// The only administrator who is not switched off stays on.
pub async fn the_last_administrator_stays(store: Store) -> Done {
    let world = World::new(store).await?;
    let refused = world.disable(world.founder.id).await?;
    assert_eq!(refused, DisableOutcome::LastAdministrator);
    let read = world.store.user(world.founder.id).await?;
    assert!(
        read.is_some_and(|read| read.disabled_at.is_none() && read.epoch == world.founder.epoch)
    );
    world.expect_events(&[]).await
}

/// Of administrators who switch each other off at once one stays.
pub async fn two_administrators_who_disable_each_other_leave_one(store: Store) -> Done {
    let world = World::new(store).await?;
    let mut second = world.user("second");
    second.administrator = true;
    let second = world.joined(world.org.id, second, "admin").await?;
    let users = [world.founder.id, second.id];
    let outcomes = race(users.map(|user| {
        let store = Arc::clone(&world.store);
        async move { store.disable_user(user, later(2), later(300), &[]).await }
    }))
    .await?;
    let off = |outcome: &&DisableOutcome| matches!(outcome, DisableOutcome::Disabled(_));
    assert_eq!(outcomes.iter().filter(off).count(), 1, "{outcomes:?}");
    Ok(())
}

async fn live(world: &World, sessions: &[&Session]) -> Result<Vec<bool>, StoreError> {
    let mut live = Vec::new();
    for session in sessions {
        live.push(world.is_live(session).await?);
    }
    Ok(live)
}

/// Every session but the one kept ends, and one revocation says so, at the time of the youngest.
pub async fn everybodys_sessions_end_with_one_revocation(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (one, two) = (world.opened(&user).await?, world.opened(&user).await?);
    let kept = world.opened(&world.founder).await?;
    let event = world.event(Action::SessionsEnded);
    let all = end(Whose::Everyone, Some(kept.id));
    let events = std::slice::from_ref(&event);
    let done = world.store.end_many(&all, events).await?;
    assert_eq!(done, Some(ended(&all, 2)));
    assert_eq!(
        live(&world, &[&one, &two, &kept]).await?,
        [false, false, true]
    );
    let stored = world.store.live_revocations(AT).await?;
    assert_eq!(stored, [ended(&all, 2).entry]);
    // A session of a node whose clock is ahead is revoked as well.
    let mut ahead = world.session(&user);
    ahead.created_at = later(9);
    assert!(world.store.open_session(&ahead, None, &[]).await?);
    let all = end(Whose::Everyone, None);
    let done = world.store.end_many(&all, &[]).await?;
    let what = Revocation::Opened(Whose::Everyone, later(9), None);
    assert_eq!(
        done.map(|done| (done.ended, done.entry.what)),
        Some((2, what))
    );
    assert!(!world.is_live(&kept).await?);
    world.expect_events(&[&event]).await
}

/// One person's sessions end, and no other's.
pub async fn a_persons_sessions_end_with_one_revocation(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (one, kept) = (world.opened(&user).await?, world.opened(&user).await?);
    let theirs = world.opened(&world.founder).await?;
    let own = end(Whose::User(user.id), Some(kept.id));
    let done = world.store.end_many(&own, &[]).await?;
    assert_eq!(done, Some(ended(&own, 1)));
    let stored = world.store.live_revocations(AT).await?;
    assert_eq!(stored, [ended(&own, 1).entry]);
    assert_eq!(
        live(&world, &[&one, &kept, &theirs]).await?,
        [false, true, true]
    );
    let nobody = end(Whose::User(world.id()), None);
    let event = world.event(Action::SessionsEnded);
    assert_eq!(world.store.end_many(&nobody, &[event]).await?, None);
    world.expect_events(&[]).await
}

/// Grants of the organization end, those of another stay, and a session of before gets no further one.
pub async fn an_organizations_grants_end_and_older_sessions_get_none(store: Store) -> Done {
    let world = World::new(store).await?;
    let (other, _) = world.second_org("globex").await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    let session = world.granted(&user, world.org.id).await?;
    let elsewhere = world.granted(&world.founder, other.id).await?;
    let ungranted = world.opened(&user).await?;
    let all = end(Whose::Org(world.org.id), None);
    let done = world.store.end_many(&all, &[]).await?;
    assert_eq!(done, Some(ended(&all, 1)));
    let stored = world.store.live_revocations(AT).await?;
    assert_eq!(stored, [ended(&all, 1).entry]);
    assert!(world.is_live(&session).await?, "sessions go on");
    let store = &world.store;
    for (session, org, outcome) in [
        (&session, world.org.id, GrantOutcome::Ended),
        (&ungranted, world.org.id, GrantOutcome::Ended),
        (&elsewhere, other.id, GrantOutcome::Existing),
    ] {
        let asked = store.open_grant(&grant(session, org), &[]).await?;
        assert_eq!(asked, outcome);
    }
    let mut young = world.session(&user);
    young.created_at = later(3);
    assert!(store.open_session(&young, None, &[]).await?);
    let asked = store.open_grant(&grant(&young, world.org.id), &[]).await?;
    assert_eq!(asked, GrantOutcome::Opened);
    let nowhere = end(Whose::Org(world.id()), None);
    assert_eq!(store.end_many(&nowhere, &[]).await?, None);
    Ok(())
}

/// Every account is on one page, the oldest first.
pub async fn accounts_come_in_pages(store: Store) -> Done {
    let world = World::new(store).await?;
    for n in 0..6 {
        world
            .member(world.org.id, &format!("user{n}"), "viewer")
            .await?;
    }
    let all = walk(3, |page| {
        let store = Arc::clone(&world.store);
        async move { store.users(&page).await }
    })
    .await?;
    assert_eq!(all.len(), 7);
    assert!(all.is_sorted_by_key(|user| user.id));
    Ok(())
}

/// A person's last sessions, ended ones too, the newest first and no other's.
pub async fn clients_come_newest_first(store: Store) -> Done {
    let world = World::new(store).await?;
    let user = world.member(world.org.id, "user", "viewer").await?;
    assert_eq!(world.store.clients_of_user(user.id, 9).await?, []);
    world.opened(&world.founder).await?;
    let mut sessions: Vec<Session> = (0..3).map(|_| world.session(&user)).collect();
    sessions.sort_by_key(|session| session.id);
    for (n, session) in sessions.iter_mut().enumerate() {
        session.client = (n > 0).then(|| format!("client {n}"));
        session.ip_address = (n > 1).then(|| std::net::IpAddr::from([192, 0, 2, 1]));
        assert!(world.store.open_session(session, None, &[]).await?);
    }
    let all = end(Whose::User(user.id), None);
    world.store.end_many(&all, &[]).await?;
    let seen = world.store.clients_of_user(user.id, 2).await?;
    let seen: Vec<_> = seen
        .into_iter()
        .map(|seen| (seen.client, seen.ip_address.is_some()))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("client 2".to_owned()), true),
            (Some("client 1".to_owned()), false)
        ]
    );
    Ok(())
}
