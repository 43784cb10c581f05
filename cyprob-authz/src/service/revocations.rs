//! Revocations in memory, asked at every request.

mod table;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use cyprob_core::domain::{
    Epoch, Id, KeyId, OrgId, Revocation, RevocationEntry, RoleId, ServiceAccountId, SessionId,
    Timestamp, UserId, Whose,
};
use cyprob_core::ports::{Clock, RevocationFeed};

use self::table::Table;
use super::tokens::MAX_LIFETIME;
use crate::domain::{AccessClaims, Claims, OrgClaims, ServiceClaims};

/// When a view was caught up that never was.
const NEVER: i64 = i64::MIN;

/// How many entries are held of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RevocationCounts {
    /// Whole sessions.
    pub sessions: usize,
    /// A session's access to one organization.
    pub grants: usize,
    /// People's epochs.
    pub users: usize,
    /// Memberships' epochs.
    pub members: usize,
    /// Everyone, people and organizations whose sessions up to a time ended at once.
    pub opened: usize,
    /// Versions of organizations' own roles.
    pub roles: usize,
    /// Service accounts' epochs.
    pub services: usize,
    /// Keys of service accounts.
    pub service_keys: usize,
}

/// What was revoked and still matters; implements the core's [`RevocationFeed`].
///
/// Entries are dropped once no token is left that they could end. They are kept
/// for 15 minutes more, and a token that died before the last dropped entry is
/// refused whatever the clock says, so that a clock that was set forward and
/// back again revives nothing.
///
/// Where others revoke too, [`with_bound`](Self::with_bound) says how old the
/// view may be. An older one is stale, whatever the clock does, until it is told
/// that it caught up.
pub struct RevocationView {
    clock: Arc<dyn Clock>,
    sessions: Table<SessionId, ()>,
    grants: Table<(SessionId, OrgId), ()>,
    users: Table<UserId, Epoch>,
    members: Table<(OrgId, UserId), Epoch>,
    opened: Table<Whose, (Timestamp, Option<SessionId>)>,
    /// Whether `opened` may hold anything: almost always it does not, and is not asked.
    any_opened: AtomicBool,
    roles: Table<RoleId, Epoch>,
    services: Table<ServiceAccountId, Epoch>,
    service_keys: Table<KeyId, ()>,
    /// Entries that ended up to here may be gone; microseconds.
    floor: AtomicI64,
    /// Everything revoked before this is known; microseconds.
    as_of: AtomicI64,
    bound: Option<Duration>,
}

impl RevocationView {
    /// An empty view; publish what the store holds before the first request.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            sessions: Table::new(),
            grants: Table::new(),
            users: Table::new(),
            members: Table::new(),
            opened: Table::new(),
            any_opened: AtomicBool::new(false),
            roles: Table::new(),
            services: Table::new(),
            service_keys: Table::new(),
            floor: AtomicI64::new(i64::MIN),
            as_of: AtomicI64::new(NEVER),
            bound: None,
        }
    }

    /// Lets the view be stale when it was not caught up for so long; never by default.
    #[must_use]
    pub const fn with_bound(mut self, bound: Duration) -> Self {
        self.bound = Some(bound);
        self
    }

    /// Whether the view is older than it may be, so that nobody knows what was revoked.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let Some(bound) = self.bound else {
            return false;
        };
        let as_of = self.as_of.load(Ordering::Acquire);
        // A clock that was set is as good as one that ran: either way it is not known.
        let age = self.clock.now().as_micros().abs_diff(as_of);
        if u128::from(age) <= bound.as_micros() {
            return false;
        }
        // Setting the clock back makes it no younger; a failure means that it caught up meanwhile.
        let _ = self
            .as_of
            .compare_exchange(as_of, NEVER, Ordering::AcqRel, Ordering::Relaxed);
        true
    }

    /// Whether the token of these claims was revoked.
    #[must_use]
    pub fn is_revoked<'a>(&self, claims: impl Into<Claims<'a>>) -> bool {
        let claims = claims.into();
        let ended = match claims {
            Claims::Person(claims) => self.is_person_revoked(claims),
            Claims::Service(claims) => self.is_service_revoked(claims),
        };
        ended
            || claims.org().is_some_and(|org| self.is_role_past(org))
            // INVARIANT: last, so that whoever misses a dropped entry sees the floor that rose before it went
            || claims.expires_at().as_micros() <= self.floor.load(Ordering::Acquire)
    }

    fn is_person_revoked(&self, claims: &AccessClaims) -> bool {
        if self.sessions.get(&claims.session).is_some()
            || self
                .users
                .get(&claims.user)
                .is_some_and(|known| claims.user_epoch < known)
        {
            return true;
        }
        if self.any_opened.load(Ordering::Acquire) && self.ended_with_many(claims) {
            return true;
        }
        claims.org.as_ref().is_some_and(|org| {
            self.grants.get(&(claims.session, org.id)).is_some()
                || self
                    .members
                    .get(&(org.id, claims.user))
                    .is_some_and(|known| org.member_epoch < known)
        })
    }

    /// Whether the token's session was opened before one of its kind were all ended.
    fn ended_with_many(&self, claims: &AccessClaims) -> bool {
        let ended = |whose| {
            self.opened.get(&whose).is_some_and(|(until, keep)| {
                claims.session.made_at() <= until && keep != Some(claims.session)
            })
        };
        let org = claims.org.as_ref();
        ended(Whose::Everyone)
            || ended(Whose::User(claims.user))
            || org.is_some_and(|org| ended(Whose::Org(org.id)))
    }

    fn is_service_revoked(&self, claims: &ServiceClaims) -> bool {
        self.service_keys.get(&claims.key).is_some()
            || self
                .services
                .get(&claims.account)
                .is_some_and(|known| claims.org.member_epoch < known)
    }

    /// Whether the role has been edited since the token was minted.
    fn is_role_past(&self, org: &OrgClaims) -> bool {
        org.version.is_some_and(|version| {
            let known = self.roles.get(&version.id);
            known.is_some_and(|known| version.epoch < known)
        })
    }

    /// Drops the entries that cannot matter any more. It is done by itself as entries come in.
    pub fn sweep(&self) {
        let dead = self.raise_floor();
        self.sessions.sweep(dead);
        self.grants.sweep(dead);
        self.users.sweep(dead);
        self.members.sweep(dead);
        self.opened.sweep(dead);
        self.roles.sweep(dead);
        self.services.sweep(dead);
        self.service_keys.sweep(dead);
    }

    /// How many entries are held.
    #[must_use]
    pub fn counts(&self) -> RevocationCounts {
        RevocationCounts {
            sessions: self.sessions.len(),
            grants: self.grants.len(),
            users: self.users.len(),
            members: self.members.len(),
            opened: self.opened.len(),
            roles: self.roles.len(),
            services: self.services.len(),
            service_keys: self.service_keys.len(),
        }
    }

    /// The time up to which entries, and what else is kept of tokens that ended, may be dropped from now on.
    pub(super) fn raise_floor(&self) -> Timestamp {
        let dead = self.clock.now().before(MAX_LIFETIME);
        // INVARIANT: the floor rises before an entry goes, and readers look at it after the tables
        self.floor.fetch_max(dead.as_micros(), Ordering::AcqRel);
        dead
    }
}

impl RevocationFeed for RevocationView {
    fn publish(&self, entries: &[RevocationEntry]) {
        let mut crowded = false;
        for entry in entries {
            let until = entry.expires_at;
            crowded |= match entry.what {
                Revocation::Session(session) => self.sessions.put(session, (), until),
                Revocation::Grant(session, org) => self.grants.put((session, org), (), until),
                Revocation::User(user, epoch) => self.users.put(user, epoch, until),
                Revocation::Member(org, user, epoch) => self.members.put((org, user), epoch, until),
                Revocation::Opened(whose, opened_until, keep) => {
                    let crowded = self.opened.put(whose, (opened_until, keep), until);
                    self.any_opened.store(true, Ordering::Release);
                    crowded
                }
                Revocation::Role(_, role, epoch) => self.roles.put(role, epoch, until),
                Revocation::Service(_, account, epoch) => self.services.put(account, epoch, until),
                Revocation::ServiceKey(_, key) => self.service_keys.put(key, (), until),
            };
        }
        if crowded {
            self.sweep();
        }
    }

    fn caught_up(&self, as_of: Timestamp) {
        self.as_of.store(as_of.as_micros(), Ordering::Release);
    }
}

impl fmt::Debug for RevocationView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RevocationView")
            .field(&self.counts())
            .finish()
    }
}
