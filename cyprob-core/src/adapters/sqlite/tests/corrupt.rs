//! Values that no version of this software wrote: errors that name their column, never a panic.

use std::sync::Arc;

use super::{SqliteStore, sql, store, system};
use crate::domain::audit::{Action, AuditEvent, Resource};
use crate::domain::{
    Caller, CtxIssuer, Id, KeyId, PageRequest, RoleName, SessionId, Timestamp, TokenDigest, UserId,
};
use crate::ports::store::*;
use crate::testkit::identity_store;

/// Reads everything through the ports; the first error.
async fn read_all(store: &SqliteStore, ids: &Ids) -> Result<(), StoreError> {
    let page = PageRequest::default();
    let at = Timestamp::UNIX_EPOCH;
    let issuer = CtxIssuer::for_composition();
    let by = issuer.deployment(Caller::operator());
    let orgs = store.orgs(&by, &page).await?;
    let ctx = issuer.org(orgs.items[0].id, RoleName::OWNER, Caller::operator());
    store.user(ids.user).await?;
    store.memberships(ids.user).await?;
    store.members(&ctx, &page).await?;
    store.invitations(&ctx, &page).await?;
    store.invitation_by_token(&ids.token).await?;
    store.session(ids.session).await?;
    store.sessions_of_user(ids.user, at, &page).await?;
    store.grants_of_org(&ctx, at, &page).await?;
    store.live_revocations(at).await?;
    store.roles(&ctx, &page).await?;
    store.service_accounts(&ctx, &page).await?;
    store.key_holder(ids.key).await?;
    store.pending(10).await?;
    store.is_bootstrapped().await?;
    Ok(())
}

struct Ids {
    user: UserId,
    session: SessionId,
    token: TokenDigest,
    key: KeyId,
}

/// A role, a machine in it and its key.
const MACHINE: [&str; 3] = [
    "INSERT INTO roles SELECT org_id, id, 'triage', 'org:read', 1, 0, 0 FROM invitations",
    "INSERT INTO service_accounts SELECT i.org_id, i.id, 'Machine', 'triage', m.user_id, 1, 0 FROM invitations i JOIN memberships m ON m.org_id = i.org_id AND m.ended_at IS NULL",
    "INSERT INTO service_keys SELECT org_id, id, id, zeroblob(32), 0, 9, NULL FROM service_accounts",
];

async fn blob(store: &SqliteStore, statement: &'static str) -> Vec<u8> {
    sqlx::query_scalar(statement)
        .fetch_one(&store.opened.reader)
        .await
        .unwrap()
}

async fn populated() -> (tempfile::TempDir, SqliteStore, Ids) {
    let (dir, store) = store().await;
    let filled: Arc<dyn IdentityStore> = Arc::new(store.clone());
    identity_store::revocations::every_kind_lives_until_its_time(filled)
        .await
        .unwrap();
    let on = Resource::new("x", "y");
    let at = Timestamp::UNIX_EPOCH;
    let id = Id::from_random(at, [1; 10]);
    let event = AuditEvent::new(id, at, &Caller::operator(), Action::AuditRead, on);
    store.record(&[event]).await.unwrap();
    let mut write = store.system_tx(&system()).await.unwrap();
    for statement in MACHINE {
        let made = sqlx::query(statement).execute(write.connection()).await;
        assert_eq!(made.unwrap().rows_affected(), 1, "{statement}");
    }
    write.commit().await.unwrap();
    let owner = "SELECT user_id FROM memberships WHERE ended_at IS NULL";
    let token = blob(&store, "SELECT token FROM invitations").await;
    let ids = Ids {
        user: Id::from_slice(&blob(&store, owner).await).unwrap(),
        session: Id::from_slice(&blob(&store, "SELECT id FROM sessions").await).unwrap(),
        token: TokenDigest::from_bytes(token.try_into().unwrap()),
        key: Id::from_slice(&blob(&store, "SELECT id FROM service_keys").await).unwrap(),
    };
    read_all(&store, &ids).await.unwrap();
    (dir, store, ids)
}

#[tokio::test]
async fn every_column_with_a_rule_is_checked() {
    let corruptions = [
        (
            "users.email",
            "UPDATE users SET email = 'nobody' || epoch || hex(id)",
        ),
        ("users.name", "UPDATE users SET name = ''"),
        ("users.epoch", "UPDATE users SET epoch = -1"),
        ("users.epoch", "UPDATE users SET epoch = 4294967296"),
        ("organizations.slug", "UPDATE organizations SET slug = 'NO'"),
        (
            "organizations.name",
            "UPDATE organizations SET name = x'00' || ''",
        ),
        (
            "organizations.max_session_seconds",
            "UPDATE organizations SET max_session_seconds = -1",
        ),
        (
            "memberships.role",
            "UPDATE memberships SET role = 'No Role'",
        ),
        ("memberships.epoch", "UPDATE memberships SET epoch = -1"),
        ("invitations.email", "UPDATE invitations SET email = 'x'"),
        ("invitations.role", "UPDATE invitations SET role = ''"),
        ("sessions.generation", "UPDATE sessions SET generation = -1"),
        (
            "sessions.refresh_key",
            "UPDATE sessions SET refresh_key = -1",
        ),
        (
            "sessions.previous_key",
            "UPDATE sessions SET previous_key = 4294967296",
        ),
        ("sessions.aal", "UPDATE sessions SET aal = 3"),
        ("sessions.aal", "UPDATE sessions SET aal = 257"),
        (
            "sessions.ip_address",
            "UPDATE sessions SET ip_address = 'localhost'",
        ),
        ("revocations.kind", "UPDATE revocations SET kind = 99"),
        (
            "revocations.subject",
            "UPDATE revocations SET subject = x'00'",
        ),
        (
            "revocations.subject",
            "UPDATE revocations SET subject = zeroblob(16)",
        ),
        ("revocations.epoch", "UPDATE revocations SET epoch = NULL"),
        ("revocations.org_id", "UPDATE revocations SET org_id = NULL"),
        ("roles.name", "UPDATE roles SET name = 'No Role'"),
        ("roles.permissions", "UPDATE roles SET permissions = ''"),
        (
            "roles.permissions",
            "UPDATE roles SET permissions = 'org:read  '",
        ),
        ("roles.epoch", "UPDATE roles SET epoch = -1"),
        (
            "service_accounts.name",
            "UPDATE service_accounts SET name = ''",
        ),
        (
            "service_accounts.role",
            "UPDATE service_accounts SET role = ''",
        ),
        (
            "service_accounts.epoch",
            "UPDATE service_accounts SET epoch = -1",
        ),
        ("audit_outbox.body", "UPDATE audit_outbox SET body = '{}'"),
        ("audit_outbox.body", "UPDATE audit_outbox SET body = ''"),
    ];
    for (place, statement) in corruptions {
        let (_dir, store, ids) = populated().await;
        let mut write = store.system_tx(&system()).await.unwrap();
        let changed = sqlx::query(statement)
            .execute(write.connection())
            .await
            .unwrap();
        assert!(changed.rows_affected() > 0, "{statement}");
        write.commit().await.unwrap();
        let read = read_all(&store, &ids).await;
        let Err(StoreError::Corrupt { table, column }) = read else {
            panic!("{statement}: {read:?}")
        };
        assert_eq!(format!("{table}.{column}"), place, "{statement}");
    }
}

/// A later writer of a row in the outbox is not lost because an earlier one is unreadable: nothing is taken.
#[tokio::test]
async fn an_unreadable_event_is_not_taken_out() {
    let (_dir, store, _ids) = populated().await;
    let mut write = store.system_tx(&system()).await.unwrap();
    sqlx::query("UPDATE audit_outbox SET body = '{}'")
        .execute(write.connection())
        .await
        .unwrap();
    write.commit().await.unwrap();
    let id = Id::from_random(Timestamp::UNIX_EPOCH, [1; 10]);
    let mut tx = store.system_tx(&system()).await.unwrap();
    let taken = tx.take_outbox(&[id]).await;
    assert!(
        matches!(taken, Err(StoreError::Corrupt { .. })),
        "{taken:?}"
    );
    drop(tx);
    let left = sqlx::query(sql::PENDING_EVENTS.sqlite())
        .bind(10_i64)
        .fetch_all(&store.opened.reader)
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
}
