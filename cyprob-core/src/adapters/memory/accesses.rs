//! What a session has in organizations.

use super::roles::named;
use super::state::State;
use crate::domain::{Access, GrantState, Membership, SessionId, UserId};
use crate::ports::store::Renewal;

/// The person's memberships, by slug.
pub(super) fn memberships(state: &State, user: UserId) -> impl Iterator<Item = Membership> {
    let slugs = state.slugs.iter();
    slugs.filter_map(move |(slug, org)| {
        let place = state.place(*org, user)?;
        Some(Membership {
            org: *org,
            slug: slug.clone(),
            role: place.role.clone(),
            epoch: place.epoch,
        })
    })
}

/// The person's memberships, each with what the session has there.
pub(super) fn accesses(state: &State, user: UserId, session: SessionId) -> Vec<Access> {
    let access = |membership: Membership| {
        let org = state.orgs.get(&membership.org)?;
        let grant = state.grants.get(&(membership.org, session));
        Some(Access {
            policy: org.policy,
            version: named(state, org.id, &membership.role).map(|role| role.version),
            grant: match grant.map(|grant| grant.ended_at) {
                None => GrantState::Missing,
                Some(None) => GrantState::Live,
                Some(Some(_)) => GrantState::Ended,
            },
            membership,
        })
    };
    memberships(state, user).filter_map(access).collect()
}

/// A session with all that its next tokens are made from.
pub(super) fn renewal(state: &State, session: SessionId) -> Option<Renewal> {
    let stored = state.stored(session)?;
    let user = state.users.get(&stored.session.user)?.clone();
    let accesses = accesses(state, user.id, session);
    Some(Renewal {
        stored,
        user,
        accesses,
    })
}
