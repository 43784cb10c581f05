//! What a session has in organizations.

use std::collections::{BTreeMap, BTreeSet};

use super::sessions::stored;
use super::together::{Subject, Together};
use super::{Arg, Backend, Cells, Columns, SqlStore, sql, users};
use crate::domain::{
    Access, GrantState, OrgPolicy, PasswordHash, RoleVersion, SessionId, User, UserId,
};
use crate::ports::store::{Renewal, StoreError, StoredSession};

fn access(row: &Columns<'_, impl Cells>) -> Result<Access, StoreError> {
    let role = row.optional_id("role_id")?;
    let version = role.map(|id| {
        let epoch = row.epoch("role_epoch")?;
        Ok(RoleVersion { id, epoch })
    });
    let granted = row.optional_time("granted_at")?;
    let ended = row.optional_time("grant_ended_at")?;
    Ok(Access {
        membership: users::membership(row, "member_epoch")?,
        policy: OrgPolicy {
            max_session_seconds: row.read_optional("max_session_seconds", |seconds: i64| {
                u32::try_from(seconds).ok()
            })?,
            factor_required: row.get("factor_required")?,
        },
        version: version.transpose()?,
        grant: match (granted, ended) {
            (None, _) => GrantState::Missing,
            (Some(_), None) => GrantState::Live,
            (Some(_), Some(_)) => GrantState::Ended,
        },
    })
}

/// The owner of a session, from the row of a renewal.
fn owner(row: &Columns<'_, impl Cells>, of: &StoredSession) -> Result<User, StoreError> {
    Ok(User {
        id: of.session.user,
        email: row.parse("email")?,
        email_verified: row.get("email_verified")?,
        name: row.parse("name")?,
        password: row
            .optional::<String>("password")?
            .map(PasswordHash::from_phc),
        epoch: of.owner.epoch,
        administrator: row.get("administrator")?,
        disabled_at: row.optional_time("disabled_at")?,
        created_at: row.time("joined_at")?,
    })
}

/// Renewals that wait for each other.
pub(super) type Renewals = Together<SessionId, Option<Renewal>>;

impl Subject for SessionId {
    type Id = Self;
    const SHARED: bool = true;

    fn id(&self) -> Self {
        *self
    }
}

/// The renewal of one session, from its rows: one for each access.
fn renewal<B: Backend>(rows: &[&B::Row]) -> Result<Option<Renewal>, StoreError> {
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let stored = stored::<B>(first)?;
    let user = owner(&Columns::of(*first, "users"), &stored)?;
    let mut accesses = Vec::with_capacity(rows.len());
    for row in rows {
        let row = Columns::of(*row, "memberships");
        // Who belongs to no organization has one row without any.
        if row.optional::<[u8; 16]>("org_id")?.is_some() {
            accesses.push(access(&row)?);
        }
    }
    Ok(Some(Renewal {
        stored,
        user,
        accesses,
    }))
}

impl<B: Backend> SqlStore<B> {
    pub(super) async fn renewal_of(&self, id: SessionId) -> Result<Option<Renewal>, StoreError> {
        if B::text(&sql::RENEWALS).is_empty() {
            let rows = self.fetch_all(&sql::RENEWAL, &[id.into()]).await?;
            return renewal::<B>(&rows.iter().collect::<Vec<_>>());
        }
        let store = self.clone();
        let read = move |ids| {
            let store = store.clone();
            async move { store.renewals_of(ids).await }
        };
        self.renewals.call(id, read).await
    }

    async fn renewals_of(
        &self,
        ids: Vec<SessionId>,
    ) -> Result<Vec<Result<Option<Renewal>, StoreError>>, StoreError> {
        let distinct: BTreeSet<_> = ids.iter().copied().collect();
        let args = [Arg::ids(distinct)];
        let rows = self.fetch_all(&sql::RENEWALS, &args).await?;
        let mut by_session: BTreeMap<SessionId, Vec<&B::Row>> = BTreeMap::new();
        for row in &rows {
            let id = Columns::of(row, "sessions").id("id")?;
            by_session.entry(id).or_default().push(row);
        }
        let one = |id| renewal::<B>(by_session.get(&id).map_or(&[], Vec::as_slice));
        Ok(ids.into_iter().map(one).collect())
    }

    pub(super) async fn accesses_of(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Vec<Access>, StoreError> {
        let args = [user.into(), session.into()];
        let rows = self.fetch_all(&sql::ACCESSES, &args).await?;
        let accesses = rows
            .iter()
            .map(|row| access(&Columns::of(row, "memberships")));
        accesses.collect()
    }
}
