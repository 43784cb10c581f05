//! The request check: everything that stands between a token and a proof for the tenant's data.

use std::sync::Arc;

use cyprob_core::domain::audit::{Action, Actor, AuditEvent, MetaValue, Outcome, Resource};
use cyprob_core::domain::{
    Caller, CtxIssuer, DeploymentCtx, OrgCtx, RequestId, RoleName, Timestamp, UserCtx,
};
use cyprob_core::ports::store::{Claimed, SessionStore, Standing};
use cyprob_core::ports::{Clock, Entropy, EntropyExt};

use super::in_flight::InFlight;
use super::revocations::RevocationView;
use super::tokens::{JobVerifier, TokenError, TokenVerifier};
use crate::domain::{
    Decision, Demand, JobClaims, Need, PermissionSet, Principal, RoleCatalog, Rule, decide,
};
use crate::ports::DenialRecorder;

/// The parts of the request check.
#[derive(Debug)]
pub struct AccessParts {
    /// Verifies people's tokens.
    pub verifier: TokenVerifier,
    /// Verifies workers' tokens.
    pub jobs: JobVerifier,
    /// What roles permit.
    pub roles: Arc<RoleCatalog>,
    /// What was revoked.
    pub revocations: Arc<RevocationView>,
    /// Where it is asked at every request whether a token stands; nowhere, if the view does.
    pub strict: Option<Arc<dyn SessionStore>>,
    /// The one maker of proofs.
    pub issuer: CtxIssuer,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for request ids and events.
    pub entropy: Arc<dyn Entropy>,
    /// Where refusals are recorded.
    pub denials: Arc<dyn DenialRecorder>,
}

/// The request check of one control plane.
#[derive(Debug)]
pub struct AccessControl {
    parts: AccessParts,
    in_flight: InFlight,
    worker_role: RoleName,
}

/// A signed-in caller was refused, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Which rule decided.
    pub rule: Rule,
}

impl AccessControl {
    /// Puts the check together.
    #[must_use]
    pub fn new(parts: AccessParts) -> Arc<Self> {
        Arc::new(Self {
            parts,
            in_flight: InFlight::default(),
            worker_role: "worker".parse().unwrap_or(RoleName::VIEWER),
        })
    }

    /// What roles permit.
    #[must_use]
    pub fn roles(&self) -> &RoleCatalog {
        &self.parts.roles
    }

    /// The verifier of people's tokens, with its ring.
    #[must_use]
    pub const fn verifier(&self) -> &TokenVerifier {
        &self.parts.verifier
    }

    /// The changes that run; wait for them before the store is closed.
    #[must_use]
    pub const fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// A new request id.
    #[must_use]
    pub fn request_id(&self, at: Timestamp) -> RequestId {
        self.parts.entropy.id(at)
    }

    /// Verifies a token's shape, signatures, time, audience and that nothing revoked it.
    ///
    /// # Errors
    ///
    /// [`TokenError`]; a client is told `invalid_token` and no more, or
    /// `unavailable` for [`TokenError::Stale`].
    pub fn authenticate(&self, token: &str, at: Timestamp) -> Result<Principal, TokenError> {
        let token = self.parts.verifier.verify(token, at)?;
        if self.parts.revocations.is_revoked(token.claims()) {
            return Err(TokenError::Revoked);
        }
        if self.parts.revocations.is_stale() {
            return Err(TokenError::Stale);
        }
        let role = token
            .claims()
            .org
            .as_ref()
            .map_or(PermissionSet::EMPTY, |org| {
                self.parts.roles.permissions(&org.role)
            });
        Ok(Principal::new(token, role))
    }

    /// Asks the store whether the token still stands, where that is asked at every request.
    ///
    /// # Errors
    ///
    /// [`TokenError::Revoked`], or [`TokenError::Stale`] if the store does not answer.
    pub async fn confirm(&self, principal: &Principal) -> Result<(), TokenError> {
        let Some(store) = &self.parts.strict else {
            return Ok(());
        };
        let claims = principal.claims();
        let claimed = Claimed {
            user: claims.user,
            user_epoch: claims.user_epoch,
            session: claims.session,
            member: claims.org.as_ref().map(|org| (org.id, org.member_epoch)),
        };
        match store.standing(&claimed).await {
            Ok(Standing::Stands) => Ok(()),
            Ok(Standing::Fell) => Err(TokenError::Revoked),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(error = %error, cause, "the store does not say whether a token stands");
                Err(TokenError::Stale)
            }
        }
    }

    /// Decides, and gives the proof of the organization.
    ///
    /// # Errors
    ///
    /// [`Rejection`] with the rule that refused.
    pub fn admit_org(
        &self,
        principal: &Principal,
        demand: &Demand<'_>,
        caller: Caller,
    ) -> Result<OrgCtx, Rejection> {
        if !matches!(demand.need, Need::Org(_)) {
            return Err(Rejection { rule: Rule::NoOrg });
        }
        permitted(principal, demand)?;
        let Some(org) = &principal.claims().org else {
            return Err(Rejection { rule: Rule::NoOrg });
        };
        Ok(self.parts.issuer.org(org.id, org.role.clone(), caller))
    }

    /// Decides, and gives the proof that a person is signed in.
    ///
    /// # Errors
    ///
    /// [`Rejection`] with the rule that refused.
    pub fn admit_user(
        &self,
        principal: &Principal,
        demand: &Demand<'_>,
        caller: Caller,
    ) -> Result<UserCtx, Rejection> {
        permitted(principal, demand)?;
        let claims = principal.claims();
        Ok(self.parts.issuer.user(claims.user, claims.session, caller))
    }

    /// Decides, and gives the proof that the deployment's administrator acts.
    ///
    /// # Errors
    ///
    /// [`Rejection`] with the rule that refused.
    pub fn admit_system(
        &self,
        principal: &Principal,
        demand: &Demand<'_>,
        caller: Caller,
    ) -> Result<DeploymentCtx, Rejection> {
        if !matches!(demand.need, Need::System(_)) {
            return Err(Rejection {
                rule: Rule::NotAdministrator,
            });
        }
        permitted(principal, demand)?;
        Ok(self.parts.issuer.deployment(caller))
    }

    /// Verifies a worker's token and gives the proof of its organization.
    ///
    /// Frames over stdio and routes over the network both come through here.
    /// Whether the attempt is still the current one is the queue's to say.
    ///
    /// # Errors
    ///
    /// [`TokenError`]; the worker is told `invalid_token` and no more.
    pub fn admit_worker(
        &self,
        token: &str,
        at: Timestamp,
        request_id: Option<RequestId>,
    ) -> Result<(JobClaims, OrgCtx), TokenError> {
        let job = self.parts.jobs.verify(token, at)?;
        let caller = Caller {
            actor: Actor::Worker {
                run: job.run,
                on_behalf_of: job.on_behalf_of,
            },
            origin: Default::default(),
            request_id,
        };
        let ctx = self
            .parts
            .issuer
            .org(job.org, self.worker_role.clone(), caller);
        Ok((job, ctx))
    }

    /// The event of a refusal, for the log of the organization of the caller's own token.
    #[must_use]
    pub fn denial_event(&self, denial: &Denial<'_>) -> AuditEvent {
        let on = Resource::new("route", format!("{} {}", denial.method, denial.route));
        let id = self.parts.entropy.id(denial.at);
        let mut event = AuditEvent::new(id, denial.at, denial.caller, Action::AccessDenied, on)
            .with_outcome(Outcome::Denied, denial.rule.as_str())
            .with("method", MetaValue::public(denial.method))
            .with("route", MetaValue::public(denial.route));
        if let Some(permission) = denial.permission {
            event = event.with("permission", MetaValue::public(permission));
        }
        if let Some(named) = denial.named_org {
            event = event.with("named_organization", MetaValue::public(named));
        }
        if let Some(org) = &denial.principal.claims().org {
            event = event.in_org(org.id);
        }
        event
    }

    /// Where refusals are recorded.
    #[must_use]
    pub fn denials(&self) -> Arc<dyn DenialRecorder> {
        Arc::clone(&self.parts.denials)
    }

    /// The proof that a person is signed in, for a caller whose decision was made.
    #[cfg(feature = "axum")]
    pub(crate) fn signed_in(&self, principal: &Principal, caller: Caller) -> UserCtx {
        let claims = principal.claims();
        self.parts.issuer.user(claims.user, claims.session, caller)
    }
}

/// One refusal, as the trail is told of it.
#[derive(Clone, Copy, Debug)]
pub struct Denial<'a> {
    /// Who was refused.
    pub principal: &'a Principal,
    /// The same, as events say it.
    pub caller: &'a Caller,
    /// When.
    pub at: Timestamp,
    /// By which rule.
    pub rule: Rule,
    /// The request's method.
    pub method: &'a str,
    /// The route's template, never the path itself.
    pub route: &'a str,
    /// The permission the route asks.
    pub permission: Option<&'a str>,
    /// The organization the path named, if it reads as an id or a slug.
    pub named_org: Option<&'a str>,
}

fn permitted(principal: &Principal, demand: &Demand<'_>) -> Result<(), Rejection> {
    match decide(principal, demand) {
        Decision::Permit => Ok(()),
        Decision::Deny { rule, .. } => Err(Rejection { rule }),
    }
}
