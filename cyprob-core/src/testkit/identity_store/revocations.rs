//! Stored revocations.

use super::world::{Done, Store, World, grant, later, password, role};
use crate::domain::{EndReason, Revocation, RevocationEntry};
use crate::ports::store::{
    MemberOutcome, PasswordChange, PasswordOutcome, RoleChange, SessionEnd, StoreError,
};

/// Makes one revocation of each kind; the n-th expires n minutes after the beginning.
async fn one_of_each(world: &World) -> Result<Vec<RevocationEntry>, StoreError> {
    let user = world.member(world.org.id, "user", "viewer").await?;
    let (first, second) = (world.opened(&user).await?, world.opened(&user).await?);
    let asked = grant(&second, world.org.id);
    world.store.open_grant(&asked, &[]).await?;
    let end = SessionEnd {
        user: user.id,
        session: first.id,
        reason: EndReason::Theft,
        at: later(2),
        tokens_expire_at: later(60),
    };
    let session = world.store.end_session(&end, &[]).await?;
    let (store, ctx) = (&world.store, world.ctx());
    let granted = store
        .end_grant(&ctx, second.id, later(2), later(120), &[])
        .await?;
    let change = PasswordChange {
        user: user.id,
        expected_epoch: user.epoch,
        password: password("$argon2id$second"),
        keep: None,
        at: later(2),
        tokens_expire_at: later(180),
    };
    let PasswordOutcome::Changed { revoked, .. } = store.change_password(&change, &[]).await?
    else {
        unreachable!("the epoch is the person's")
    };
    let removal = RoleChange {
        user: user.id,
        from: role("viewer"),
        to: None,
        version: None,
        at: later(2),
        tokens_expire_at: later(240),
    };
    let MemberOutcome::Changed(member) = store.change_role(&ctx, &removal, &[]).await? else {
        unreachable!("the role is the person's")
    };
    let made = session.into_iter().chain(granted).chain(revoked);
    Ok(made.chain([member]).collect())
}

fn by_expiry(mut entries: Vec<RevocationEntry>) -> Vec<RevocationEntry> {
    entries.sort_by_key(|entry| entry.expires_at);
    entries
}

/// Each kind is read as it was returned, while `at < expires_at`.
pub async fn every_kind_lives_until_its_time(store: Store) -> Done {
    let world = World::new(store).await?;
    assert_eq!(world.store.live_revocations(later(0)).await?, []);
    let made = one_of_each(&world).await?;
    assert!(
        matches!(
            made.iter().map(|entry| entry.what).collect::<Vec<_>>()[..],
            [
                Revocation::Session(_),
                Revocation::Grant(..),
                Revocation::User(..),
                Revocation::Member(..)
            ]
        ),
        "{made:?}"
    );
    let all = world.store.live_revocations(later(59)).await?;
    assert_eq!(by_expiry(all), made);
    for passed in 1..=4_usize {
        let at = later(i64::try_from(passed).unwrap_or_default() * 60);
        let live = by_expiry(world.store.live_revocations(at).await?);
        let expected: Vec<_> = made.iter().skip(passed).copied().collect();
        assert_eq!(live, expected, "after {passed} minutes");
    }
    Ok(())
}

/// Sweeping drops those that can end no token any more, and counts them.
pub async fn sweeping_drops_what_is_past(store: Store) -> Done {
    let world = World::new(store).await?;
    let made = one_of_each(&world).await?;
    assert_eq!(world.store.sweep_revocations(later(59)).await?, 0);
    assert_eq!(world.store.sweep_revocations(later(120)).await?, 2);
    assert_eq!(world.store.sweep_revocations(later(120)).await?, 0);
    let left = by_expiry(world.store.live_revocations(later(0)).await?);
    let expected: Vec<_> = made.iter().skip(2).copied().collect();
    assert_eq!(left, expected);
    assert_eq!(world.store.sweep_revocations(later(999)).await?, 2);
    Ok(())
}
