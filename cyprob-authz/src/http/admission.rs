//! The check of one request against one policy.

use std::net::IpAddr;
use std::sync::Arc;

use cyprob_core::domain::audit::{Actor, RequestOrigin};
use cyprob_core::domain::{Caller, OrgId, OrgSlug, Timestamp};
use http::request::Parts;

use super::bearer::{Bearer, bearer};
use super::grant::{Grant, Granted, SignedIn, Terms};
use super::guard::Guard;
use super::names::Names;
use super::policy::RoutePolicy;
use super::problem::{Problem, ProblemCode};
use super::request::{Stamp, origin};
use crate::domain::{self, Claims, Decision, Demand, DenyCode, Need, Principal, Rule, Taken};
use crate::service::{AccessControl, Denial, TokenError, UseError};

/// Admits the request, or says what to answer; a refusal of a signed-in caller is recorded before this returns.
///
/// Last of all a use of the token is taken, where its holder narrowed it to a
/// number of them, and comes with the grant. Where one was taken for the request
/// before, that one counts and no other is taken.
pub(super) async fn admit(
    guard: &Arc<Guard>,
    parts: &mut Parts,
    stamp: Stamp,
    taken: Option<Arc<Taken>>,
) -> Result<Granted, Problem> {
    let (access, policy) = (&*guard.access, guard.policy);
    let origin = origin(parts);
    match policy {
        RoutePolicy::Public => {
            let grant = Box::pin(public(access, parts, stamp, origin)).await?;
            // Nobody decides by them, and they need not be text.
            let names = Names::of(parts, guard.names).ok();
            Ok(Granted::new(grant, Terms::new(guard, stamp, names)))
        }
        RoutePolicy::Worker => Box::pin(worker(guard, parts, stamp)).await,
        RoutePolicy::Authenticated { .. }
        | RoutePolicy::Org { .. }
        | RoutePolicy::Objects { .. }
        | RoutePolicy::System { .. } => {
            let principal = authenticate(access, parts, stamp).await?;
            let caller = caller(&principal, stamp, origin);
            let names = Names::of(parts, guard.names)?;
            let resources = names.resources();
            let address = caller.origin.ip_address;
            let used_by = taken.as_deref();
            let demand = demand(policy, Some(&names), &resources, address, stamp.at, used_by);
            let refused = match used(guard, parts, &principal, &demand).await {
                Ok(now) => {
                    let taken = now.map(Arc::new).or(taken.clone());
                    let demand = Demand {
                        used: taken.as_deref(),
                        ..demand
                    };
                    match decide(access, &principal, caller.clone(), &demand) {
                        Ok(grant) => {
                            drop(resources);
                            let terms = Terms::new(guard, stamp, Some(names));
                            return Ok(Granted::new(grant, Terms { taken, ..terms }));
                        }
                        Err(rule) => rule,
                    }
                }
                Err(Unused::Refused(rule)) => rule,
                Err(Unused::Failed(problem)) => return Err(problem),
            };
            let denial = Denial {
                principal: &principal,
                caller: &caller,
                at: stamp.at,
                demand: &demand,
                rule: refused,
                method: parts.method.as_str(),
                route: &guard.path,
                permission: policy.permission(),
                named_org: names.get("org").filter(|text| names_org(text)),
            };
            // Apart, as are the other waits that few requests have: what all have stays small.
            Err(Box::pin(refuse(access, &denial)).await)
        }
    }
}

/// No use was taken of a token that has to have one.
enum Unused {
    Refused(Rule),
    Failed(Problem),
}

/// Takes a use, if nothing else is in the way of the request.
async fn used(
    guard: &Guard,
    parts: &Parts,
    principal: &Principal,
    demand: &Demand<'_>,
) -> Result<Option<Taken>, Unused> {
    if principal.narrowings().uses().is_none()
        || domain::decide(principal, demand) != Decision::deny(Rule::UseNotTaken)
    {
        return Ok(None);
    }
    guard.admits_length(parts).map_err(Unused::Failed)?;
    match Box::pin(guard.access.take_use(principal, demand)).await {
        Ok(taken) => Ok(taken),
        Err(UseError::Spent) => Err(Unused::Refused(Rule::Spent)),
        Err(error @ UseError::Store(_)) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(error = %error, cause, "no use of a token could be taken");
            Err(Unused::Failed(ProblemCode::Unavailable.into()))
        }
    }
}

async fn authenticate(
    access: &AccessControl,
    parts: &Parts,
    stamp: Stamp,
) -> Result<Principal, Problem> {
    let invalid = || Problem::new(ProblemCode::InvalidToken);
    let Bearer::Token(token) = bearer(&parts.headers) else {
        return Err(invalid());
    };
    judged(access, token, stamp)
        .await
        .map_err(|error| refused(&error, stamp))
}

async fn judged(
    access: &AccessControl,
    token: &str,
    stamp: Stamp,
) -> Result<Principal, TokenError> {
    let principal = access.identify(token, stamp.at).await?;
    access.confirm(&principal).await?;
    Ok(principal)
}

/// What a client is told of a token that is not taken.
fn refused(error: &TokenError, stamp: Stamp) -> Problem {
    tracing::debug!(request.id = %stamp.id, reason = %error, "token refused");
    Problem::new(match error {
        TokenError::Stale => ProblemCode::Unavailable,
        _ => ProblemCode::InvalidToken,
    })
}

/// What a policy asks of a signed-in caller.
const fn need(policy: RoutePolicy) -> Need {
    match policy {
        RoutePolicy::Org { permission, .. } => Need::Org(permission),
        RoutePolicy::Objects { permission, .. } => Need::Objects(permission),
        RoutePolicy::System { permission } => Need::System(permission),
        RoutePolicy::Authenticated { .. } | RoutePolicy::Public | RoutePolicy::Worker => {
            Need::Authenticated
        }
    }
}

/// What a request asks of a signed-in caller's token.
pub(super) fn demand<'a>(
    policy: RoutePolicy,
    names: Option<&'a Names>,
    resources: &'a [&'a str],
    address: Option<IpAddr>,
    at: Timestamp,
    used: Option<&'a Taken>,
) -> Demand<'a> {
    Demand {
        need: need(policy),
        step_up: policy.step_up(),
        org: names.and_then(|names| names.get("org")),
        resources,
        address,
        at,
        used,
    }
}

/// Decides, and makes the proof.
pub(super) fn decide(
    access: &AccessControl,
    principal: &Principal,
    caller: Caller,
    demand: &Demand<'_>,
) -> Result<Grant, Rule> {
    let granted = match demand.need {
        Need::Org(_) => access
            .admit_org(principal, demand, caller)
            .map(|ctx| Grant::Org(ctx, principal.clone())),
        Need::Objects(_) => access
            .admit_objects(principal, demand, caller)
            .map(|ctx| Grant::Objects(ctx, principal.clone())),
        Need::System(_) => {
            let person = principal.person().ok_or(Rule::NotAdministrator)?;
            access.admit_system(principal, demand, caller).map(|ctx| {
                let user = access.signed_in(&person, ctx.caller().clone());
                let principal = person;
                Grant::System(ctx, SignedIn { principal, user })
            })
        }
        Need::Authenticated => access
            .admit_user(principal, demand, caller)
            .map(|(principal, user)| Grant::Authenticated(SignedIn { principal, user })),
    };
    granted.map_err(|rejection| rejection.rule)
}

/// Everybody is admitted; one whose token cannot be judged now is not taken for a stranger.
async fn public(
    access: &AccessControl,
    parts: &Parts,
    stamp: Stamp,
    origin: RequestOrigin,
) -> Result<Grant, Problem> {
    let anonymous = Caller {
        actor: Actor::Anonymous,
        origin: origin.clone(),
        request_id: Some(stamp.id),
    };
    let signed_in = match bearer(&parts.headers) {
        Bearer::Token(token) => match judged(access, token, stamp).await {
            Err(error @ TokenError::Stale) => return Err(refused(&error, stamp)),
            Err(_) => None,
            Ok(principal) => Some(principal)
                .filter(|principal| !principal.narrowings().any())
                .and_then(|principal| {
                    let caller = caller(&principal, stamp, origin);
                    let principal = principal.person()?;
                    let user = access.signed_in(&principal, caller);
                    Some(SignedIn { principal, user })
                }),
        },
        Bearer::Missing | Bearer::Malformed => None,
    };
    Ok(Grant::Public(anonymous, signed_in))
}

async fn worker(guard: &Arc<Guard>, parts: &mut Parts, stamp: Stamp) -> Result<Granted, Problem> {
    let invalid = || Problem::new(ProblemCode::InvalidToken);
    let Bearer::Token(token) = bearer(&parts.headers) else {
        return Err(invalid());
    };
    let (job, ctx) = guard
        .access
        .admit_job(token, stamp.at, Some(stamp.id))
        .map_err(|_| invalid())?;
    let names = Names::of(parts, guard.names)?;
    if names.get("run").and_then(|run| run.parse().ok()) != Some(job.claims.run) {
        return Err(Problem::new(ProblemCode::NotFound));
    }
    let grant = Grant::Worker(ctx, job);
    Ok(Granted::new(grant, Terms::new(guard, stamp, Some(names))))
}

pub(super) fn caller(principal: &Principal, stamp: Stamp, origin: RequestOrigin) -> Caller {
    let actor = match principal.claims() {
        Claims::Person(claims) => Actor::User {
            id: claims.user,
            session: Some(claims.session),
            token: Some(claims.id),
        },
        Claims::Service(claims) => Actor::Service {
            id: claims.account,
            key: claims.key,
            token: Some(claims.id),
            on_behalf_of: claims.on_behalf_of,
        },
    };
    Caller {
        actor,
        origin,
        request_id: Some(stamp.id),
    }
}

/// Records the refusal and says what the client is told.
pub(super) async fn refuse(access: &AccessControl, denial: &Denial<'_>) -> Problem {
    let code = match denial.rule.code() {
        // A use that is asked for again may be a stranger's.
        DenyCode::InvalidToken if denial.rule == Rule::Spent => ProblemCode::InvalidToken,
        DenyCode::InvalidToken => return Problem::new(ProblemCode::InvalidToken),
        DenyCode::StepUpRequired => ProblemCode::StepUpRequired,
        DenyCode::Forbidden => ProblemCode::Forbidden,
        DenyCode::NotFound => ProblemCode::NotFound,
    };
    let event = access.denial_event(denial);
    let recorder = access.denials();
    // in a task of its own: a client that hangs up does not escape the trail
    let recorded = tokio::spawn(async move { recorder.record(event).await }).await;
    match recorded {
        Ok(Ok(())) => Problem::new(code),
        Ok(Err(error)) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(request.id = ?denial.caller.request_id, error = %error, cause, "denial not recorded");
            Problem::new(ProblemCode::Unavailable)
        }
        Err(_) => Problem::new(ProblemCode::Unavailable),
    }
}

fn names_org(text: &str) -> bool {
    text.parse::<OrgId>().is_ok() || text.parse::<OrgSlug>().is_ok()
}
