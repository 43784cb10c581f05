//! The request check: everything that stands between a token and a proof for the tenant's data.

use std::sync::Arc;

use cyprob_core::domain::audit::Actor;
use cyprob_core::domain::{
    Caller, CtxIssuer, DeploymentCtx, OrgCtx, Reach, RequestId, Revocation, RevocationEntry,
    RoleName, Timestamp, UserCtx,
};
use cyprob_core::ports::store::{IdentityStore, SpentStore};
use cyprob_core::ports::{Clock, Entropy, RevocationFeed as _};

use super::connections::{ConnectionLimits, Connections};
use super::in_flight::InFlight;
use super::org_roles::OrgRoles;
use super::request_ids::RequestIds;
use super::revocations::RevocationView;
use super::strict::unsaid;
use super::tokens::{JobVerifier, TokenError, TokenVerifier, VerifiedJob};
use crate::domain::{
    Decision, Demand, JobClaims, Need, Person, Principal, RoleCatalog, Rule, VerifiedToken, decide,
};
use crate::ports::{DenialRecorder, RoleSource};

/// The parts of the request check.
#[derive(Debug)]
pub struct AccessParts {
    /// Verifies the tokens of people and service accounts.
    pub verifier: TokenVerifier,
    /// Verifies workers' tokens.
    pub jobs: JobVerifier,
    /// What the deployment's roles permit.
    pub roles: Arc<RoleCatalog>,
    /// Where organizations' own roles are found.
    pub org_roles: Arc<dyn RoleSource>,
    /// What was revoked.
    pub revocations: Arc<RevocationView>,
    /// Where it is asked at every request whether a token stands; nowhere, if the view does.
    pub strict: Option<Arc<dyn IdentityStore>>,
    /// Which uses of tokens are spent; without it, tokens of a number of uses are refused.
    pub spent: Option<Arc<dyn SpentStore>>,
    /// The one maker of proofs.
    pub issuer: CtxIssuer,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for request ids and events.
    pub entropy: Arc<dyn Entropy>,
    /// Where refusals are recorded.
    pub denials: Arc<dyn DenialRecorder>,
    /// How many connections callers may hold open.
    pub connections: ConnectionLimits,
}

/// The request check of one control plane.
#[derive(Debug)]
pub struct AccessControl {
    pub(super) parts: AccessParts,
    roles: OrgRoles,
    in_flight: InFlight,
    connections: Connections,
    request_ids: RequestIds,
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
        let roles = OrgRoles::new(Arc::clone(&parts.roles), Arc::clone(&parts.org_roles));
        let connections = Connections::new(parts.connections);
        let request_ids = RequestIds::new(parts.entropy.as_ref());
        Arc::new(Self {
            parts,
            roles,
            in_flight: InFlight::default(),
            connections,
            request_ids,
            worker_role: "worker".parse().unwrap_or(RoleName::VIEWER),
        })
    }

    /// What the deployment's roles permit.
    #[must_use]
    pub fn roles(&self) -> &RoleCatalog {
        self.roles.catalog()
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

    /// The connections that are open.
    #[must_use]
    pub const fn connections(&self) -> &Connections {
        &self.connections
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// A new request id.
    #[must_use]
    pub fn request_id(&self, at: Timestamp) -> RequestId {
        self.request_ids.next(at)
    }

    /// Verifies a token's shape, signatures, time, audience and that nothing revoked it.
    ///
    /// A role that an organization defined permits nothing here until
    /// [`identify`](Self::identify) has read that version of it once.
    ///
    /// # Errors
    ///
    /// [`TokenError`]; a client is told `invalid_token` and no more, or
    /// `unavailable` for [`TokenError::Stale`].
    pub fn authenticate(&self, token: &str, at: Timestamp) -> Result<Principal, TokenError> {
        self.stands(self.parts.verifier.verify(token, at)?)
    }

    /// Whether nothing revoked a token that was just verified.
    fn stands(&self, token: VerifiedToken) -> Result<Principal, TokenError> {
        if self.parts.revocations.is_revoked(token.claims()) {
            return Err(TokenError::Revoked);
        }
        if self.parts.revocations.is_stale() {
            return Err(TokenError::Stale);
        }
        self.learn_role(&token);
        Ok(Principal::new(token))
    }

    /// Does as [`authenticate`](Self::authenticate) does; a version of an organization's own role that nobody asked for yet is read first.
    ///
    /// Whoever holds a version that is past learns it here, even before the
    /// revocation comes in.
    ///
    /// # Errors
    ///
    /// [`TokenError`]; [`TokenError::Stale`] also if the role cannot be read.
    pub async fn identify(&self, token: &str, at: Timestamp) -> Result<Principal, TokenError> {
        let verified = self.parts.verifier.verify(token, at)?;
        let unknown = verified.claims().org().and_then(|org| {
            let version = org.version?;
            (!self.learn_role(&verified)).then_some((org, version))
        });
        if let Some((org, version)) = unknown
            && !self.parts.revocations.is_revoked(verified.claims())
        {
            let caller = Caller::system("access");
            let ctx = self.parts.issuer.org(org.id, org.role.clone(), caller);
            let stored = self.roles.source().role(&ctx, version.id).await;
            match stored.map_err(|error| unsaid(&error))? {
                Some(role) if role.version == version => self.roles.learn(&role),
                // The store is behind the node that minted: another moment, another answer.
                Some(role) if role.version.epoch < version.epoch => {
                    return Err(TokenError::Revoked);
                }
                Some(_) | None => {
                    let past = Revocation::Role(org.id, version.id, version.epoch.next());
                    self.parts.revocations.publish(&[RevocationEntry {
                        what: past,
                        expires_at: verified.claims().expires_at(),
                    }]);
                    return Err(TokenError::Revoked);
                }
            }
            // Much may have changed while the store was asked.
            return self.authenticate(token, at);
        }
        self.stands(verified)
    }

    /// The caller whose token is remembered and stands, where memory alone says so.
    ///
    /// Nothing also where it has to be asked; then it is [`identify`](Self::identify) that says.
    #[cfg(feature = "axum")]
    pub(crate) fn remembered(&self, token: &[u8], at: Timestamp) -> Option<Principal> {
        if self.parts.strict.is_some() {
            return None;
        }
        let token = self.parts.verifier.remembered(token, at)?;
        if !self.learn_role(&token) {
            return None;
        }
        self.stands(token).ok()
    }

    /// Whether it is known what the token's role permits; what was found stays with the token.
    fn learn_role(&self, token: &VerifiedToken) -> bool {
        if token.role().get().is_some() {
            return true;
        }
        let Some(org) = token.claims().org() else {
            return true;
        };
        let Some(found) = self.roles.rights(org) else {
            return false;
        };
        token.role().get_or_init(|| found);
        true
    }

    /// Makes a version known as if it had been read.
    #[cfg(feature = "testkit")]
    pub(crate) fn learn(&self, role: &cyprob_core::domain::CustomRole) {
        self.roles.learn(role);
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
        self.member(principal, demand, caller)
    }

    pub(super) fn member(
        &self,
        principal: &Principal,
        demand: &Demand<'_>,
        caller: Caller,
    ) -> Result<OrgCtx, Rejection> {
        permitted(principal, demand)?;
        let Some(org) = principal.org() else {
            return Err(Rejection { rule: Rule::NoOrg });
        };
        let reach = Reach::new(principal.permissions().bits());
        let issuer = &self.parts.issuer;
        Ok(issuer.org_within(org.id, org.role.clone(), reach, caller))
    }

    /// Decides, and gives the person and the proof that they are signed in; a service account is refused.
    ///
    /// # Errors
    ///
    /// [`Rejection`] with the rule that refused.
    pub fn admit_user(
        &self,
        principal: &Principal,
        demand: &Demand<'_>,
        caller: Caller,
    ) -> Result<(Person, UserCtx), Rejection> {
        permitted(principal, demand)?;
        let person = principal.person().ok_or(Rejection {
            rule: Rule::NotAPerson,
        })?;
        let user = self.signed_in(&person, caller);
        Ok((person, user))
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
        let (job, ctx) = self.admit_job(token, at, request_id)?;
        Ok((job.claims, ctx))
    }

    /// Admits a worker, and keeps what it takes to judge its token anew.
    pub(crate) fn admit_job(
        &self,
        token: &str,
        at: Timestamp,
        request_id: Option<RequestId>,
    ) -> Result<(VerifiedJob, OrgCtx), TokenError> {
        let job = self.parts.jobs.verify_kept(token, at)?;
        let caller = Caller {
            actor: Actor::Worker {
                run: job.claims.run,
                on_behalf_of: job.claims.on_behalf_of,
            },
            origin: Default::default(),
            request_id,
        };
        let ctx = self
            .parts
            .issuer
            .org(job.claims.org, self.worker_role.clone(), caller);
        Ok((job, ctx))
    }

    /// The proof that a person is signed in, for a caller whose decision was made.
    pub(crate) fn signed_in(&self, person: &Person, caller: Caller) -> UserCtx {
        let claims = person.claims();
        self.parts.issuer.user(claims.user, claims.session, caller)
    }
}

fn permitted(principal: &Principal, demand: &Demand<'_>) -> Result<(), Rejection> {
    match decide(principal, demand) {
        Decision::Permit => Ok(()),
        Decision::Deny { rule, .. } => Err(Rejection { rule }),
    }
}
