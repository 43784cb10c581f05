//! Why somebody was admitted, kept so that it can be asked again.

use std::net::IpAddr;
use std::sync::Arc;

use cyprob_core::domain::{ObjectScope, Timestamp};
use http::request::Parts;

use super::admission::demand;
use super::connection::Ended;
use super::grant::Grant;
use super::guard::Guard;
use super::names::PathNames;
use super::policy::RoutePolicy;
use super::request::address;
use crate::domain::{Decision, Demand, Principal, Rule, Taken, decide, scope};
use crate::service::{AccessControl, ConnectionSlot, TokenError, VerifiedJob};

/// What one request was admitted by.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    access: Arc<AccessControl>,
    policy: RoutePolicy,
    names: Option<PathNames>,
    /// The use of the token that it was admitted with, which counts as long as it stands.
    taken: Option<Arc<Taken>>,
    address: Option<IpAddr>,
    who: Who,
    /// The objects that it was admitted to, where it is about some.
    objects: Option<ObjectScope>,
}

#[derive(Clone, Debug)]
enum Who {
    /// Admitted without a token: nothing can end.
    Stranger,
    Caller(Principal),
    Worker(VerifiedJob),
}

impl Standing {
    /// That of a request which was just admitted.
    pub(super) fn of(
        guard: &Guard,
        grant: &Grant,
        taken: Option<Arc<Taken>>,
        names: Option<PathNames>,
        parts: &Parts,
    ) -> Self {
        let who = match grant {
            Grant::Public(_, None) => Who::Stranger,
            Grant::Public(_, Some(signed_in))
            | Grant::Authenticated(signed_in)
            | Grant::System(_, signed_in) => Who::Caller(signed_in.principal.principal()),
            Grant::Org(_, principal) | Grant::Objects(_, principal) => {
                Who::Caller(principal.clone())
            }
            Grant::Worker(_, job) => Who::Worker(job.clone()),
        };
        let objects = match grant {
            Grant::Objects(scoped, _) => Some(scoped.objects().clone()),
            _ => None,
        };
        Self {
            access: Arc::clone(&guard.access),
            policy: guard.policy,
            names,
            taken,
            address: address(parts),
            who,
            objects,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.access.now()
    }

    /// Whether it stands by a token, so that there is something to watch.
    pub(super) const fn can_end(&self) -> bool {
        !matches!(self.who, Who::Stranger)
    }

    /// A place among the caller's connections; strangers take none.
    pub(super) fn slot(&self) -> Result<Option<ConnectionSlot>, Full> {
        let connections = self.access.connections();
        match &self.who {
            Who::Stranger => return Ok(None),
            Who::Caller(principal) => connections.open(principal.claims()),
            Who::Worker(job) => connections.open_for_run(job.claims.run),
        }
        .map(Some)
        .ok_or(Full)
    }

    /// Whether the same request would be admitted now, from memory.
    pub(super) fn stands(&self, at: Timestamp) -> Result<(), Ended> {
        match &self.who {
            Who::Stranger => Ok(()),
            Who::Caller(principal) => {
                self.access.recheck(principal, at).map_err(ended)?;
                self.permitted(principal, at)
            }
            Who::Worker(job) => self.access.recheck_job(job, at).map_err(ended),
        }
    }

    /// Whether the store says the same, where it is asked at every request.
    pub(super) async fn confirmed(&self) -> Result<(), Ended> {
        match &self.who {
            Who::Caller(principal) => self.access.confirm(principal).await.map_err(ended),
            Who::Stranger | Who::Worker(_) => Ok(()),
        }
    }

    /// When the token's time is over at the latest.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        match &self.who {
            Who::Caller(principal) => Some(principal.claims().expires_at()),
            Who::Worker(job) => Some(job.claims.deadline),
            Who::Stranger => None,
        }
    }

    fn permitted(&self, principal: &Principal, at: Timestamp) -> Result<(), Ended> {
        // Everybody is admitted there; of a token it was asked whether it lives.
        if self.policy == RoutePolicy::Public {
            return Ok(());
        }
        let named = self.names.as_ref();
        let resources = named.map(PathNames::resources).unwrap_or_default();
        let used = self.taken.as_deref();
        let demand = demand(self.policy, named, &resources, self.address, at, used);
        match decide(principal, &demand) {
            Decision::Permit if self.has_all(principal, &demand) => Ok(()),
            Decision::Permit => Err(Ended::FewerObjects),
            Decision::Deny { rule, .. } => Err(match rule {
                Rule::Expired | Rule::NarrowedTime => Ended::Expired,
                other => Ended::Refused(other),
            }),
        }
    }

    /// Whether the caller may still have every object that the handler was told of.
    fn has_all(&self, principal: &Principal, demand: &Demand<'_>) -> bool {
        self.objects
            .as_ref()
            .is_none_or(|told| scope(principal, demand).covers(told))
    }
}

/// The caller has as many connections as may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Full;

fn ended(error: TokenError) -> Ended {
    match error {
        TokenError::Expired | TokenError::Times => Ended::Expired,
        TokenError::Stale => Ended::Unknown,
        TokenError::UnknownKey
        | TokenError::Signature
        | TokenError::Shape(_)
        | TokenError::Audience => Ended::KeyGone,
        TokenError::Revoked => Ended::Revoked,
    }
}
