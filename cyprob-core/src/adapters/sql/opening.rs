//! Opening sessions: one message where the database can.

use super::tx::{Write, body};
use super::{Arg, Backend, Columns, Scope, SqlStore, grants, sql};
use crate::domain::audit::AuditEvent;
use crate::domain::{Grant, Id, Notice, Session};
use crate::ports::store::StoreError;

/// Whether the database opens a session by one statement.
fn at_once<B: Backend>() -> bool {
    !B::text(&sql::OPEN_SESSION).is_empty()
}

impl<B: Backend> SqlStore<B> {
    pub(super) async fn session_opened(
        &self,
        session: &Session,
        grant: Option<&Grant>,
        events: &[AuditEvent],
    ) -> Result<bool, StoreError> {
        // A notice is written by a statement of its own. Where the answer is lost this one is sent
        // again, and fails by the session's key if it was done.
        if at_once::<B>() && !events.iter().any(|event| Notice::of(event).is_some()) {
            let _signal = self.signal();
            let bodies = bodies(events)?;
            let args = one_message(session, grant, events, &bodies);
            let row = self.fetch_optional(&sql::OPEN_SESSION, &args).await?;
            return held::<B>(row.as_ref());
        }
        let scope = Scope::user_in(session.user, grant.map(|grant| grant.org));
        let mut write = self.writing(scope).await?;
        if !open(&mut write, session, grant).await? {
            return Ok(false);
        }
        write.record(events).await?;
        write.commit().await?;
        Ok(true)
    }
}

/// Stores a new session and its first grant; `false`, and the transaction is to be dropped, if that may not be.
pub(super) async fn open<B: Backend>(
    write: &mut Write<B>,
    session: &Session,
    grant: Option<&Grant>,
) -> Result<bool, StoreError> {
    if at_once::<B>() {
        let args = one_message(session, grant, &[], &[]);
        let row = write.fetch_optional(&sql::OPEN_SESSION, &args).await?;
        return held::<B>(row.as_ref());
    }
    if write.execute(&sql::INSERT_SESSION, &row(session)).await? == 0 {
        return Ok(false);
    }
    match grant {
        Some(grant) => grants::insert(write, grant).await,
        None => Ok(true),
    }
}

fn held<B: Backend>(row: Option<&B::Row>) -> Result<bool, StoreError> {
    row.map_or(Ok(false), |row| Columns::of(row, "sessions").get("held"))
}

fn bodies(events: &[AuditEvent]) -> Result<Vec<(Option<String>, String)>, StoreError> {
    let one = |event: &AuditEvent| {
        let org = event.org.map(|org| hex::encode(org.to_bytes()));
        Ok((org, body(event)?))
    };
    events.iter().map(one).collect()
}

/// The session, its grant and the events, for the one statement.
fn one_message<'a>(
    session: &'a Session,
    grant: Option<&Grant>,
    events: &[AuditEvent],
    bodies: &'a [(Option<String>, String)],
) -> Vec<Arg<'a>> {
    let mut args = Vec::from(row(session));
    args.extend([
        grant.map(|grant| grant.org).into(),
        grant.map(|grant| grant.created_at).into(),
        Arg::ids(events.iter().map(|event| event.id)),
        Arg::Texts(bodies.iter().map(|(org, _)| org.as_deref()).collect()),
        Arg::Texts(bodies.iter().map(|(_, body)| Some(body.as_str())).collect()),
    ]);
    args
}

/// The columns of a new session.
fn row(session: &Session) -> [Arg<'_>; 16] {
    [
        session.id.into(),
        session.user.into(),
        Arg::bytes(session.seed.expose_bytes()),
        session.refresh.generation.into(),
        session.refresh.key.into(),
        session.refresh.previous_key.into(),
        session.refresh.rotated_at.into(),
        session.credential_epoch.into(),
        session.auth_time.into(),
        session.aal.get().into(),
        session.created_at.into(),
        session.last_used_at.into(),
        session.idle_expires_at.into(),
        session.absolute_expires_at.into(),
        session.client.as_deref().into(),
        session.ip_address.map(|address| address.to_string()).into(),
    ]
}
