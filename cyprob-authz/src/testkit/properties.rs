//! The promises AUTHZ-2 and AUTHZ-3 as properties.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use cyprob_core::domain::audit::Actor;
use cyprob_core::domain::{Aal, Caller, CustomRole, RoleName, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use super::narrow::{Narrow, narrow, seal};
use super::oracle::{ObjectFacts, datalog_permits};
use super::scenario::{HeldRole, Scenario, narrowed, scenario};
use super::stand::Stand;
use crate::domain::policy::Rights;
use crate::domain::{
    AccessClaims, Claims, Decision, Demand, Need, OrgClaims, Permission, RoleCatalog, Rule,
    SystemPermission, Taken, decide,
};
use crate::service::TokenError;

/// A scenario made real: the chain of tokens, each narrower than the one before, and the request.
struct Made {
    stand: Stand,
    tokens: Vec<String>,
    org: Option<String>,
    own: Vec<CustomRole>,
    at: Timestamp,
    taken: Option<Taken>,
    object: ObjectFacts,
}

/// When a credential was shown so many seconds before, or after.
fn shown_at(minted: Timestamp, age: i64) -> Timestamp {
    let apart = Duration::from_secs(age.unsigned_abs());
    if age < 0 {
        minted.after(apart)
    } else {
        minted.before(apart)
    }
}

/// The role in an organization; one that the organization defined is known to the check, unless it is past.
fn held(stand: &Stand, role: &HeldRole, own: &mut Vec<CustomRole>) -> Option<OrgClaims> {
    let (permissions, past) = match role {
        HeldRole::None => return None,
        HeldRole::Named(role) => return Some(stand.org("acme", role.clone())),
        HeldRole::Granted(_) => return Some(stand.org("acme", desk())),
        HeldRole::Own(permissions) => (permissions, false),
        HeldRole::Past(permissions) => (permissions, true),
    };
    let role = stand.define("triage", &permissions.join(" "));
    let version = role.version;
    if !past {
        stand.access.learn(&role);
        own.push(role.clone());
    }
    Some(OrgClaims {
        version: Some(version),
        ..stand.org("acme", role.name)
    })
}

/// The stand of a scenario, in its minute of the week.
fn stand(scenario: &Scenario) -> Result<Stand, String> {
    let mut roles = RoleCatalog::builtin();
    if let HeldRole::Granted(grants) = &scenario.role {
        let rights = Rights::compile(grants.iter().cloned());
        let defined = roles.with_role(desk(), rights);
        roles = defined.map_err(|error| error.to_string())?;
    }
    let stand = Stand::with_roles(11, roles);
    let into_the_week = Duration::from_secs(scenario.minute * 60);
    stand.clock.advance(into_the_week);
    Ok(stand)
}

/// The role that the deployment defined.
fn desk() -> RoleName {
    "desk".parse().unwrap_or(RoleName::VIEWER)
}

fn make(scenario: &Scenario) -> Result<Made, String> {
    let stand = stand(scenario)?;
    let minted = stand.now();
    let mut defined = Vec::new();
    let own = held(&stand, &scenario.role, &mut defined);
    let foreign = stand.org("globex", RoleName::OWNER);
    let claims = AccessClaims {
        administrator: scenario.administrator,
        aal: match scenario.two_factors {
            true => Aal::Two,
            false => Aal::One,
        },
        auth_time: shown_at(minted, scenario.auth_age),
        ..stand.claims(own.clone())
    };
    let (id, caller, first) = match (&own, scenario.service) {
        (Some(org), true) => {
            let claims = stand.service(org.clone());
            let first = stand.mint_service(&claims);
            (claims.id, claims.on_behalf_of, first)
        }
        _ => (claims.id, claims.user, stand.mint(&claims)),
    };
    let mut tokens = vec![first];
    let base = u64::try_from(minted.as_seconds()).map_err(|e| e.to_string())?;
    for block in &scenario.blocks {
        let shifted: Vec<Narrow> = block
            .iter()
            .cloned()
            .map(|check| match check {
                Narrow::Before { second, inclusive } => Narrow::Before {
                    second: base + second,
                    inclusive,
                },
                other => other,
            })
            .collect();
        let parent = tokens.last().cloned().unwrap_or_default();
        tokens.push(narrow(&parent, &shifted, &*stand.entropy)?);
    }
    if scenario.seal
        && let Some(last) = tokens.last_mut()
    {
        *last = seal(last)?;
    }
    let own_id = own
        .as_ref()
        .map_or_else(|| "org_of_nobody".to_owned(), |own| own.id.to_string());
    let org = match scenario.place {
        0 => Some(own_id),
        1 => Some("acme".to_owned()),
        2 => Some(foreign.id.to_string()),
        3 => Some("globex".to_owned()),
        4 => None,
        _ => Some("ACME".to_owned()),
    };
    let owner = match scenario.own {
        true => caller,
        false => stand.claims(None).user,
    };
    let tags = scenario.tags.iter().filter_map(|tag| tag.parse().ok());
    let tags = tags.collect();
    let at = minted
        .after(Duration::from_secs(scenario.request_age))
        .after(Duration::from_micros(scenario.micros));
    Ok(Made {
        stand,
        tokens,
        org,
        own: defined,
        at,
        object: ObjectFacts { owner, tags },
        taken: scenario.used.map(|word| Taken::new(id, word)),
    })
}

impl Made {
    fn demand<'a>(&'a self, scenario: &Scenario, resources: &'a [&'a str]) -> Demand<'a> {
        Demand {
            need: scenario.need,
            step_up: scenario.step_up,
            org: self.org.as_deref(),
            resources,
            address: scenario.address,
            at: self.at,
            used: self.taken.as_ref(),
        }
    }

    /// What a token permits of many requests around one, in a fixed order.
    fn permitted(&self, token: &str, own: &Demand<'_>) -> Result<Vec<bool>, TokenError> {
        let org = Permission::ALL.iter().copied().map(Need::Org);
        let objects = Permission::ALL.iter().copied().map(Need::Objects);
        let org = org.chain(objects);
        let system = SystemPermission::ALL.iter().copied().map(Need::System);
        let needs: Vec<Need> = org.chain(system).chain([Need::Authenticated]).collect();
        let loopback = "10.1.2.3".parse().ok();
        let mut all = Vec::new();
        for at in [own.at, self.stand.now()] {
            let principal = match self.stand.access.authenticate(token, at) {
                Ok(principal) => Some(principal),
                Err(TokenError::Expired) => None,
                Err(other) => return Err(other),
            };
            for need in needs.iter().copied() {
                for resources in [own.resources, &[], &["run_a"], &["run_b", "nginx"]] {
                    for address in [own.address, None, loopback] {
                        let demand = Demand {
                            need,
                            resources,
                            address,
                            at,
                            ..*own
                        };
                        let permits = |p| decide(p, &demand).is_permit();
                        all.push(principal.as_ref().is_some_and(permits));
                    }
                }
            }
        }
        Ok(all)
    }

    /// Whether the object is among those to which the request is admitted.
    fn has(&self, token: &str, demand: &Demand<'_>) -> bool {
        let access = &self.stand.access;
        let Ok(principal) = access.authenticate(token, demand.at) else {
            return false;
        };
        let actor = match principal.claims() {
            Claims::Person(claims) => Actor::User {
                id: claims.user,
                session: None,
                token: None,
            },
            Claims::Service(claims) => Actor::Service {
                id: claims.account,
                key: claims.key,
                token: None,
                on_behalf_of: claims.on_behalf_of,
            },
        };
        let caller = Caller {
            actor,
            origin: Default::default(),
            request_id: None,
        };
        let ObjectFacts { owner, tags } = &self.object;
        let admitted = access.admit_objects(&principal, demand, caller);
        admitted.is_ok_and(|scoped| scoped.admits(*owner, tags))
    }

    /// The compiled decision, through the verifier and its memory.
    fn compiled(&self, token: &str, demand: &Demand<'_>) -> Result<Decision, TokenError> {
        match self.stand.access.authenticate(token, demand.at) {
            Ok(principal) => Ok(decide(&principal, demand)),
            Err(TokenError::Expired) => Ok(Decision::deny(Rule::Expired)),
            Err(other) => Err(other),
        }
    }
}

/// AUTHZ-2: the compiled decision and Biscuit's Datalog agree for every generated token and request.
///
/// On routes that concern objects they agree of an object too: it is in the
/// scope that the decision gives if and only if Datalog, told whose it is and
/// which tags it has, permits it.
///
/// Gives how often each outcome was met, by the rule that decided.
///
/// # Errors
///
/// The smallest scenario in which they differ.
pub fn authz_2_compiled_decision_and_datalog_agree() -> Result<BTreeMap<&'static str, u32>, String>
{
    let outcomes = RefCell::new(BTreeMap::new());
    run(&scenario(), |scenario| {
        let made = make(&scenario)?;
        let resources: Vec<&str> = scenario.resources.iter().map(String::as_str).collect();
        let demand = made.demand(&scenario, &resources);
        let service = scenario.service && !matches!(scenario.role, HeldRole::None);
        let key = match service {
            true => &made.stand.service_key,
            false => &made.stand.key,
        };
        let key = key.ring_key(Timestamp::UNIX_EPOCH);
        let token = made.tokens.last().map(String::as_str).unwrap_or_default();
        let roles = made.stand.access.roles();
        let datalog = |object| datalog_permits(token, &key, roles, &made.own, &demand, object);
        let oracle = datalog(None)?;
        let about_objects = matches!(demand.need, Need::Objects(_));
        let of_object = about_objects && datalog(Some(&made.object))?;
        // twice: once cold, once from the memory of verified tokens
        for _ in 0..2 {
            let compiled = made.compiled(token, &demand).map_err(|e| e.to_string())?;
            if compiled.is_permit() != oracle {
                return Err(format!("compiled {compiled:?}, datalog permits: {oracle}"));
            }
            let has = about_objects && made.has(token, &demand);
            if has != of_object {
                return Err(format!(
                    "has the object: {has}, datalog permits: {of_object}"
                ));
            }
            let name = match compiled {
                Decision::Permit if has => "object",
                Decision::Permit if about_objects => "other_objects",
                Decision::Permit => "permit",
                Decision::Deny { rule, .. } => rule.as_str(),
            };
            *outcomes.borrow_mut().entry(name).or_insert(0) += 1;
        }
        Ok(())
    })?;
    let mut outcomes = outcomes.into_inner();
    outcomes.values_mut().for_each(|count| *count /= 2);
    Ok(outcomes)
}

/// AUTHZ-3: attenuation never widens: whatever a token permits, every token it was narrowed from permits.
///
/// Each token of a chain is asked every permission, from several addresses, for
/// several resources, early and late; what it permits must lie within what the
/// token before it permits. Gives how often a block `kept`, `took` or found
/// `refused` already what the scenario's own request asks.
///
/// # Errors
///
/// The smallest scenario in which a block widened.
pub fn authz_3_attenuation_never_widens() -> Result<BTreeMap<&'static str, u32>, String> {
    let outcomes = RefCell::new(BTreeMap::new());
    run(&narrowed(), |scenario| {
        let made = make(&scenario)?;
        let resources: Vec<&str> = scenario.resources.iter().map(String::as_str).collect();
        let own = made.demand(&scenario, &resources);
        let mut wider: Option<(bool, Vec<bool>)> = None;
        for (at, token) in made.tokens.iter().enumerate() {
            let permits = made.compiled(token, &own).map_err(|e| e.to_string())?;
            let permits = permits.is_permit();
            let all = made.permitted(token, &own).map_err(|e| e.to_string())?;
            if let Some((parent, parents)) = wider {
                let widened = all
                    .iter()
                    .zip(&parents)
                    .any(|(child, parent)| *child && !*parent);
                if widened || (permits && !parent) {
                    return Err(format!("block {at} widened"));
                }
                let outcome = match (parent, permits) {
                    (true, true) => "kept",
                    (true, false) => "took",
                    (false, _) => "refused",
                };
                *outcomes.borrow_mut().entry(outcome).or_insert(0) += 1;
            }
            wider = Some((permits, all));
        }
        Ok(())
    })?;
    Ok(outcomes.into_inner())
}

fn run<S: Strategy>(
    strategy: &S,
    holds: impl Fn(S::Value) -> Result<(), String>,
) -> Result<(), String> {
    let config = Config::default();
    let config = Config {
        // As many as it takes to meet every outcome often, in any run: one of 6.6 % is
        // under 5 % in one of 20,000 runs, with a quarter of the cases in one of 50.
        cases: config.cases.max(4_096),
        failure_persistence: None,
        ..config
    };
    TestRunner::new(config)
        .run(strategy, |value| holds(value).map_err(TestCaseError::fail))
        .map_err(|error| match error {
            TestError::Fail(why, value) => format!("{why}: {value:?}"),
            TestError::Abort(why) => why.to_string(),
        })
}
