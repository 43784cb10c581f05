//! Every route for every caller in their own and in a foreign organization, over HTTP.
//!
//! What is expected comes from `contract.txt`. Allowed means 2xx and, for a
//! write, a changed state; refused means the contract's status and a state that
//! is as it was.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod contract;
mod factors;
mod invitations;
mod recipes;
mod recovery;
#[path = "../support/mod.rs"]
mod support;
mod throttled;

use std::collections::{BTreeMap, BTreeSet};

use contract::{Caller, Contract, Place, Verdict};
use recipes::{Probe, Scene};
use serde_json::Value;
use support::server::CYPROB;
use support::world::{Account, ROLES};
use support::{Backend, World, factor};

fn callers() -> impl Iterator<Item = Caller> {
    let roles = ROLES.iter().map(|role| Caller::Role(role));
    [Caller::Anonymous]
        .into_iter()
        .chain(roles)
        .chain([Caller::Stranger, Caller::Administrator])
}

/// Those who take their part in a cell; callers are of `acme`.
fn account(world: &mut World, caller: Caller) -> Option<&mut Account> {
    match caller {
        Caller::Anonymous => None,
        Caller::Role(role) => world.members.get_mut(&("acme", role)),
        Caller::Stranger => Some(&mut world.stranger),
        Caller::Administrator => Some(&mut world.administrator),
    }
}

fn every_cell_answers_as_the_contract_says(backend: Backend) {
    let contract = Contract::read();
    let mut world = World::on(
        backend,
        "access_ttl_seconds = 900\nsession_idle_seconds = 86400\n\
         worker_command = [\"/bin/sleep\", \"30\"]",
    );
    let mut cells = 0_u32;
    let mut tally: BTreeMap<String, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (route, rule) in &contract.routes {
        let client = world.client.clone();
        world.administrator.sign_in(&client);
        let places: &[Place] = if route.contains("{org}") {
            &[Place::Own, Place::Foreign]
        } else {
            &[Place::Own]
        };
        for caller in callers() {
            for place in places {
                // Someone signed in cannot make a second account of theirs.
                if route.ends_with("invitations/accept")
                    && matches!(caller, Caller::Role(_) | Caller::Stranger)
                {
                    continue;
                }
                // It asks for a sign-in of at most five minutes ago.
                if route.ends_with("/me/email")
                    && let Some(who) = account(&mut world, caller)
                {
                    who.sign_in(&client);
                }
                let verdict = contract.expects(rule, caller, *place);
                cells += 1;
                *tally.entry(format!("{verdict:?}")).or_default() += 1;
                if let Err(fault) = cell(&mut world, route, caller, *place, verdict) {
                    wrong.push(format!(
                        "{route} {caller:?} {place:?}, expected {verdict:?}: {fault}"
                    ));
                }
            }
        }
    }
    println!(
        "matrix: {} routes, {cells} cells, {} wrong; {tally:?}",
        contract.routes.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn cell(
    world: &mut World,
    route: &str,
    caller: Caller,
    place: Place,
    verdict: Verdict,
) -> Result<(), String> {
    let who = account(world, caller).cloned();
    let allowed = verdict == Verdict::Allowed;
    let scene = Scene {
        world,
        caller,
        email: who.as_ref().map_or("", |who| &who.email),
        password: who.as_ref().map_or("", |who| &who.password),
        org: if place == Place::Own {
            "acme"
        } else {
            "globex"
        },
        allowed,
    };
    let recipe = scene.recipe(route);
    let client = world.client.clone();
    let look = |probe: &Option<Probe>| probe.as_ref().map(|probe| probe.look(&client));
    let before = look(&recipe.probe);

    let token = recipe.token.as_ref().or(who.as_ref().map(|who| &who.token));
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = Vec::new();
    if let Some(bearer) = &bearer {
        headers.push(("authorization", bearer.as_str()));
    }
    if let Some((kind, _)) = &recipe.body {
        headers.push(("content-type", kind));
    }
    let body = recipe.body.as_ref().map(|(_, bytes)| bytes.as_slice());
    let (method, _) = route.split_once(' ').unwrap();
    let answer = client.send(method, &recipe.path, &headers, body);

    let after = look(&recipe.probe);
    let changed = match &recipe.probe {
        Some(Probe::Answer) => {
            let has = |name: &str| answer.json().get(name).is_some_and(|v| *v != Value::Null);
            let new = ["access_token", "user", "id", "secret", "recovery_codes"];
            new.into_iter().any(has)
        }
        _ => before != after,
    };
    let told = || format!("{} {}", answer.status, answer.text());
    let outcome = match verdict {
        Verdict::Allowed if !(200..300).contains(&answer.status) => Err(told()),
        Verdict::Allowed if recipe.probe.is_some() && !changed => {
            Err(format!("changed nothing: {}", told()))
        }
        Verdict::Refused(status) if answer.status != status => Err(told()),
        Verdict::Refused(_) if changed => Err(format!("changed something: {}", told())),
        _ => Ok(()),
    };
    if let (Some(who), Some(codes)) = (&who, answer.json()["recovery_codes"].as_array()) {
        factor::drop_with(&client, &who.email, &who.password, codes);
    }
    if recipe.renews && allowed {
        renew(world, caller, route);
    }
    outcome
}

/// Signs the caller in again, with the password that is theirs now.
fn renew(world: &mut World, caller: Caller, route: &str) {
    let client = world.client.clone();
    let owner = account(world, caller).unwrap();
    if route == "POST /api/v1/me/password" {
        owner.password = "another pass phrase, also long".to_owned();
    }
    owner.sign_in(&client);
}

#[test]
fn the_contract_names_the_routes_that_are_served() {
    let output = std::process::Command::new(CYPROB)
        .args(["routes", "--format", "json"])
        .output();
    let printed: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let served: BTreeSet<String> = printed["routes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            format!(
                "{} {}",
                r["method"].as_str().unwrap(),
                r["path"].as_str().unwrap()
            )
        })
        .collect();
    let written: BTreeSet<String> = Contract::read()
        .routes
        .into_iter()
        .map(|(route, _)| route)
        .collect();
    assert_eq!(written, served);
}

mod over_sqlite {
    #[test]
    fn every_cell_answers_as_the_contract_says() {
        super::every_cell_answers_as_the_contract_says(super::Backend::Sqlite);
    }
}

mod over_postgres {
    #[test]
    fn every_cell_answers_as_the_contract_says() {
        super::every_cell_answers_as_the_contract_says(super::Backend::Postgres);
    }
}
