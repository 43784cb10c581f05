//! Why somebody was admitted, kept so that it can be asked again.

use cyprob_core::domain::Timestamp;

use super::admission::demand;
use super::connection::Ended;
use super::grant::{Granted, SignedIn};
use super::names::Names;
use super::policy::RoutePolicy;
use crate::domain::{Decision, Demand, Principal, Rule, decide, scope};
use crate::service::{AccessControl, ConnectionSlot, TokenError, VerifiedJob};

/// Who was admitted.
enum Who<'a> {
    /// Admitted without a token: nothing can end.
    Stranger,
    Caller(Principal),
    Worker(&'a VerifiedJob),
}

impl Granted {
    fn who(&self) -> Who<'_> {
        let person = |signed_in: &SignedIn| Who::Caller(signed_in.principal.principal());
        match self {
            Self::Public(admission) => admission.bearer.as_ref().map_or(Who::Stranger, person),
            Self::Authenticated(admission) => person(&admission.bearer),
            Self::System(admission) => person(&admission.bearer),
            Self::Org(admission) => Who::Caller(admission.bearer.clone()),
            Self::Objects(admission) => Who::Caller(admission.bearer.clone()),
            Self::Worker(admission) => Who::Worker(&admission.bearer),
        }
    }

    fn access(&self) -> &AccessControl {
        &self.terms().guard.access
    }

    pub(super) fn now(&self) -> Timestamp {
        self.access().now()
    }

    /// Whether it stands by a token, so that there is something to watch.
    pub(super) fn can_end(&self) -> bool {
        !matches!(self, Self::Public(admission) if admission.bearer.is_none())
    }

    /// A place among the caller's connections; strangers take none.
    pub(super) fn slot(&self) -> Result<Option<ConnectionSlot>, Full> {
        let connections = self.access().connections();
        match self.who() {
            Who::Stranger => return Ok(None),
            Who::Caller(principal) => connections.open(principal.claims()),
            Who::Worker(job) => connections.open_for_run(job.claims.run),
        }
        .map(Some)
        .ok_or(Full)
    }

    /// Whether the same request would be admitted now, from memory.
    pub(super) fn stands(&self, at: Timestamp) -> Result<(), Ended> {
        match self.who() {
            Who::Stranger => Ok(()),
            Who::Caller(principal) => {
                self.access().recheck(&principal, at).map_err(ended)?;
                self.permitted(&principal, at)
            }
            Who::Worker(job) => self.access().recheck_job(job, at).map_err(ended),
        }
    }

    /// Whether the store says the same, where it is asked at every request.
    pub(super) async fn confirmed(&self) -> Result<(), Ended> {
        match self.who() {
            Who::Caller(principal) => self.access().confirm(&principal).await.map_err(ended),
            Who::Stranger | Who::Worker(_) => Ok(()),
        }
    }

    /// When the token's time is over at the latest.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        match self.who() {
            Who::Caller(principal) => Some(principal.claims().expires_at()),
            Who::Worker(job) => Some(job.claims.deadline),
            Who::Stranger => None,
        }
    }

    fn permitted(&self, principal: &Principal, at: Timestamp) -> Result<(), Ended> {
        // Everybody is admitted there; of a token it was asked whether it lives.
        let terms = self.terms();
        let policy = terms.guard.policy;
        if policy == RoutePolicy::Public {
            return Ok(());
        }
        let named = terms.names.as_ref();
        let resources = named.map(Names::resources).unwrap_or_default();
        let address = self.caller().origin.ip_address;
        let used = terms.taken.as_deref();
        let demand = demand(policy, named, &resources, address, at, used);
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
        self.objects()
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
