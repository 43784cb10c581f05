//! AUTHZ-1 without a server: every route for every caller, place and state of a token.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::{Revocation, RevocationEntry, RoleName, Timestamp};
use cyprob_core::ports::RevocationFeed as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::at_once;
use super::oracle::datalog_permits;
use super::stand::Stand;
use crate::domain::policy::Circumstances;
use crate::domain::{
    AccessClaims, Claims, Decision, Demand, DenyCode, Narrowing, Need, Permission, RoleCatalog,
    ServiceClaims, SystemPermission, Taken, decide,
};
use crate::http::{Inventory, RoutePolicy};
use crate::service::{AccessMinter, ServiceMinter, attenuate};

/// Who calls.
#[derive(Clone, Debug)]
enum Who {
    Role(RoleName),
    Machine(RoleName),
    NoOrg,
    Administrator,
}

/// Which organization the path names.
#[derive(Clone, Copy, Debug)]
enum Place {
    Own,
    Other,
    None,
}

/// What became of the token since it was minted.
#[derive(Clone, Copy, Debug)]
enum State {
    Fresh,
    /// The sign-in lies an hour back.
    Stale,
    Expired,
    Revoked,
    /// Narrowed to what the route asks, so that nothing is taken.
    NarrowedTo,
    /// Narrowed to all but what the route asks.
    NarrowedFrom,
    /// Narrowed to one use, which was taken for the request.
    OneUse,
    /// The same, and no use was taken.
    NoUse,
    /// Signed by the key of another ring, of the same id.
    WrongRing,
}

const PLACES: [Place; 3] = [Place::Own, Place::Other, Place::None];
/// The word of the one use.
const WORD: &str = "4f1c";

const STATES: [State; 9] = [
    State::Fresh,
    State::Stale,
    State::Expired,
    State::Revoked,
    State::NarrowedTo,
    State::NarrowedFrom,
    State::OneUse,
    State::NoUse,
    State::WrongRing,
];

/// AUTHZ-1: each cell of route, caller, place and state of the token is decided as the inventory declares it, and as Datalog does.
///
/// The callers are a person in each of the roles, a service account in each, a
/// person in no organization, and the deployment's administrator; strangers and
/// workers have routes and tokens of their own. What is expected is written here
/// by the routes' policies; of the compiled decision it asks a role's rights
/// alone, which Datalog is asked beside. Gives how often each outcome was met,
/// counted for each route.
///
/// # Errors
///
/// The first cell that is decided otherwise.
pub fn authz_1_every_cell_is_decided_as_declared(
    inventory: &Inventory,
    roles: &RoleCatalog,
) -> Result<BTreeMap<&'static str, u32>, String> {
    let stand = Stand::with_roles(31, roles.clone());
    let names = roles.roles().into_iter().map(|role| role.name.clone());
    let names: Vec<RoleName> = names.collect();
    let mut callers: Vec<Who> = names.iter().cloned().map(Who::Role).collect();
    callers.extend(names.into_iter().map(Who::Machine));
    callers.extend([Who::NoOrg, Who::Administrator]);
    let mut outcomes = BTreeMap::new();
    for (asked, routes) in asked(inventory) {
        for who in &callers {
            for state in STATES {
                let cell = Cell {
                    stand: &stand,
                    asked,
                    who,
                    state,
                };
                let token = cell.token()?;
                for place in PLACES {
                    let outcome = cell
                        .decided(&token, place)
                        .map_err(|why| format!("{asked:?} {who:?} {place:?} {state:?}: {why}"))?;
                    *outcomes.entry(outcome).or_insert(0) += routes;
                }
            }
        }
    }
    Ok(outcomes)
}

/// What a route asks of a token.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Asked {
    need: Need,
    step_up: bool,
}

/// What the routes ask, and how many ask it; not those that take no token, or a worker's.
///
/// A decision knows of its route no more than that, so it is made once for all of them.
fn asked(inventory: &Inventory) -> Vec<(Asked, u32)> {
    let mut all: Vec<(Asked, u32)> = Vec::new();
    for rule in inventory.routes().iter().map(|route| route.rule) {
        let step_up = rule.step_up();
        let Some(asked) = need(rule).map(|need| Asked { need, step_up }) else {
            continue;
        };
        match all.iter_mut().find(|(known, _)| *known == asked) {
            Some((_, routes)) => *routes += 1,
            None => all.push((asked, 1)),
        }
    }
    all
}

/// What is asked of a token; none on routes that take none, or a worker's.
const fn need(policy: RoutePolicy) -> Option<Need> {
    match policy {
        RoutePolicy::Public | RoutePolicy::Worker => None,
        RoutePolicy::Authenticated { .. } => Some(Need::Authenticated),
        RoutePolicy::Org { permission, .. } => Some(Need::Org(permission)),
        RoutePolicy::Objects { permission, .. } => Some(Need::Objects(permission)),
        RoutePolicy::System { permission } => Some(Need::System(permission)),
    }
}

struct Cell<'a> {
    stand: &'a Stand,
    asked: Asked,
    who: &'a Who,
    state: State,
}

impl Cell<'_> {
    fn token(&self) -> Result<String, String> {
        let stand = self.stand;
        let wrong = matches!(self.state, State::WrongRing);
        let minted = match self.who {
            Who::Machine(role) => {
                let claims = stand.service(stand.org("acme", role.clone()));
                self.revoke(Claims::Service(&claims));
                let minter = match wrong {
                    true => &ServiceMinter::new(Arc::clone(&stand.key)),
                    false => &stand.services,
                };
                at_once(minter.mint(&claims, &*stand.entropy))
            }
            who => {
                let org = match who {
                    Who::Role(role) => Some(stand.org("acme", role.clone())),
                    _ => None,
                };
                let age = match self.state {
                    State::Stale => Duration::from_secs(3_600),
                    _ => Duration::ZERO,
                };
                let claims = AccessClaims {
                    administrator: matches!(who, Who::Administrator),
                    auth_time: stand.now().before(age),
                    ..stand.claims(org)
                };
                self.revoke(Claims::Person(&claims));
                let minter = match wrong {
                    true => &AccessMinter::new(Arc::clone(&stand.service_key)),
                    false => &stand.minter,
                };
                at_once(minter.mint(&claims, &*stand.entropy))
            }
        };
        let minted = minted.map_err(|error| error.to_string())?;
        let token = self.narrowed(minted)?;
        Ok(token.expose_secret().to_owned())
    }

    fn revoke(&self, claims: Claims<'_>) {
        if !matches!(self.state, State::Revoked) {
            return;
        }
        let what = match claims {
            Claims::Person(AccessClaims { session, .. }) => Revocation::Session(*session),
            Claims::Service(ServiceClaims { org, key, .. }) => Revocation::ServiceKey(org.id, *key),
        };
        let expires_at = claims.expires_at();
        let entry = RevocationEntry { what, expires_at };
        self.stand.revocations.publish(&[entry]);
    }

    fn narrowed(&self, token: SecretString) -> Result<SecretString, String> {
        let asked = match self.asked.need {
            Need::Authenticated => "",
            Need::Org(permission) | Need::Objects(permission) => permission.as_str(),
            Need::System(permission) => permission.as_str(),
        };
        let org = Permission::ALL.iter().map(|permission| permission.as_str());
        let system = SystemPermission::ALL.iter();
        let all = org.chain(system.map(|permission| permission.as_str()));
        if matches!(self.state, State::OneUse | State::NoUse) {
            let by = [Narrowing::OneUse(vec![WORD.to_owned()])];
            return attenuate(&token, &by, &*self.stand.entropy).map_err(|error| error.to_string());
        }
        let left: Vec<String> = match self.state {
            State::NarrowedTo => all
                .filter(|name| *name == asked)
                .map(str::to_owned)
                .collect(),
            State::NarrowedFrom => all
                .filter(|name| *name != asked)
                .map(str::to_owned)
                .collect(),
            _ => return Ok(token),
        };
        let by = [Narrowing::Permissions(left)];
        attenuate(&token, &by, &*self.stand.entropy).map_err(|error| error.to_string())
    }

    /// Decides the cell, and holds the decision to what is declared and to Datalog.
    fn decided(&self, token: &str, place: Place) -> Result<&'static str, String> {
        let at = match self.state {
            State::Expired => self.stand.now().after(Duration::from_secs(301)),
            _ => self.stand.now(),
        };
        let known = self.stand.access.authenticate(token, at);
        let taken = match (&known, self.state) {
            (Ok(principal), State::OneUse) => Some(Taken::new(principal.claims().id(), WORD)),
            _ => None,
        };
        let demand = Demand {
            need: self.asked.need,
            step_up: self.asked.step_up,
            org: match place {
                Place::Own => Some("acme"),
                Place::Other => Some("globex"),
                Place::None => None,
            },
            resources: &[],
            address: "10.1.2.3".parse().ok(),
            at,
            used: taken.as_ref(),
        };
        let decided = match known {
            Ok(principal) => match decide(&principal, &demand) {
                Decision::Permit => None,
                Decision::Deny { code, .. } => Some(code),
            },
            Err(_) => Some(DenyCode::InvalidToken),
        };
        let mut expected = self.expected(&demand, place);
        if matches!(self.state, State::NoUse) {
            expected = expected.or(Some(DenyCode::Forbidden));
        }
        if decided != expected {
            return Err(format!("decided {decided:?}, declared {expected:?}"));
        }
        // What revokes is not in the token, and the key of another ring does not read it.
        if !matches!(self.state, State::Revoked | State::WrongRing) {
            self.agrees(token, &demand, decided.is_none())?;
        }
        Ok(match decided {
            None => "permitted",
            Some(DenyCode::InvalidToken) => "401 invalid_token",
            Some(DenyCode::StepUpRequired) => "401 step_up_required",
            Some(DenyCode::Forbidden) => "403",
            Some(DenyCode::NotFound) => "404",
        })
    }

    fn agrees(&self, token: &str, demand: &Demand<'_>, permitted: bool) -> Result<(), String> {
        let key = match self.who {
            Who::Machine(_) => &self.stand.service_key,
            _ => &self.stand.key,
        };
        let key = key.ring_key(Timestamp::UNIX_EPOCH);
        let datalog = datalog_permits(token, &key, self.stand.access.roles(), &[], demand, None)?;
        if datalog == permitted {
            Ok(())
        } else {
            Err(format!("permitted {permitted}, datalog {datalog}"))
        }
    }

    /// What is declared; none where the handler runs.
    fn expected(&self, demand: &Demand<'_>, place: Place) -> Option<DenyCode> {
        let narrowed = matches!(
            self.state,
            State::NarrowedTo | State::NarrowedFrom | State::OneUse | State::NoUse
        );
        let taken = matches!(self.state, State::NarrowedFrom);
        let stale = matches!(self.state, State::Stale);
        if matches!(
            self.state,
            State::Expired | State::Revoked | State::WrongRing
        ) {
            return Some(DenyCode::InvalidToken);
        }
        match (self.asked.need, self.who) {
            (Need::Authenticated, Who::Machine(_)) => Some(DenyCode::Forbidden),
            (Need::Authenticated, _) if narrowed => Some(DenyCode::Forbidden),
            (Need::System(_), Who::Administrator) if taken => Some(DenyCode::Forbidden),
            (Need::System(_), Who::Administrator) => stale.then_some(DenyCode::StepUpRequired),
            (Need::System(_), _) => Some(DenyCode::Forbidden),
            (Need::Org(_) | Need::Objects(_), Who::NoOrg | Who::Administrator) => {
                Some(DenyCode::NotFound)
            }
            (Need::Org(_) | Need::Objects(_), _) if !matches!(place, Place::Own) => {
                Some(DenyCode::NotFound)
            }
            (Need::Org(_) | Need::Objects(_), _) if taken => Some(DenyCode::Forbidden),
            (
                need @ (Need::Org(permission) | Need::Objects(permission)),
                Who::Role(role) | Who::Machine(role),
            ) => {
                let machine = matches!(self.who, Who::Machine(_));
                let claims = self.stand.claims(None);
                let now = Circumstances {
                    aal: (!machine).then_some(claims.aal),
                    address: demand.address,
                    at: demand.at,
                    object: None,
                };
                let rights = self.stand.access.roles().rights(role);
                let may = match need {
                    Need::Objects(_) => !rights.scope(permission, &now).is_nothing(),
                    _ => rights.now(&now).contains(permission),
                };
                if !may || machine && self.asked.step_up {
                    Some(DenyCode::Forbidden)
                } else {
                    (stale && self.asked.step_up).then_some(DenyCode::StepUpRequired)
                }
            }
            (Need::Authenticated, _) => {
                (stale && self.asked.step_up).then_some(DenyCode::StepUpRequired)
            }
        }
    }
}
