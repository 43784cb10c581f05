//! What a caller gets of an organization's runs, whatever those are.

use std::collections::BTreeSet;
use std::future::Future;

use cyprob_core::domain::{ObjectScope, Tag, UserId};
use cyprob_core::ports::store::StoreError;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::world::{Stores, World, moment, tags, walk};
use crate::domain::NewRun;
use crate::testkit::properties::{Counts, runner};

/// Few words, so that runs and scopes have some in common.
const WORDS: [&str; 5] = ["a", "a:b", "b", "prod", "z"];

/// Who asks for a run, with which tags, and whether it is another organization's.
type Made = (usize, BTreeSet<Tag>, bool);

fn words() -> impl Strategy<Value = BTreeSet<Tag>> {
    btree_set(prop::sample::select(&WORDS[..]), 0..4).prop_map(|words| {
        words
            .into_iter()
            .flat_map(|word| tags::<Vec<Tag>>(&[word]))
            .collect()
    })
}

fn scope() -> impl Strategy<Value = ObjectScope> {
    let part = prop_oneof![
        1 => Just(ObjectScope::ALL),
        2 => Just(ObjectScope::NONE),
        3 => Just(ObjectScope::OWN),
        6 => words().prop_map(ObjectScope::tagged),
        6 => words().prop_map(ObjectScope::own_tagged),
    ];
    vec(part, 0..4).prop_map(|parts| parts.into_iter().fold(ObjectScope::NONE, ObjectScope::join))
}

fn made() -> impl Strategy<Value = Vec<Made>> {
    vec((0..3_usize, words(), prop::bool::weighted(0.2)), 0..24)
}

/// For any runs of an organization and of another, and any scope: the pages of
/// runs are the organization's runs that the scope admits, the newest first,
/// each once, and each alone is found just if it is on one of them.
///
/// # Panics
///
/// When the promise is broken, with the runs and the scope that break it.
pub fn pages_of_runs_are_what_the_scope_admits<T, F>(make: impl Fn() -> F)
where
    F: Future<Output = (Stores, T)>,
{
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        unreachable!("a runtime can be made")
    };
    let counts = Counts::default();
    let cases = (made(), vec(scope(), 1..6), 1..8_u8);
    let result = runner().run(&cases, |(made, scopes, limit)| {
        runtime.block_on(async {
            let (stores, _alive) = make().await;
            let case = case(World::new(stores), &made, &scopes, limit, &counts).await;
            case.unwrap_or_else(|error| Err(TestCaseError::fail(format!("{error:?}"))))
        })
    });
    counts.print("pages_of_runs_are_what_the_scope_admits");
    if let Err(error) = result {
        unreachable!("{error}");
    }
}

async fn case(
    world: World,
    made: &[Made],
    scopes: &[ObjectScope],
    limit: u8,
    counts: &Counts,
) -> Result<Result<(), TestCaseError>, StoreError> {
    let people: [UserId; 3] = std::array::from_fn(|_| world.id(moment(0)));
    let mut own = Vec::new();
    for (second, (person, tags, foreign)) in (0..).zip(made) {
        let new = NewRun {
            requested_by: people.get(*person).copied().unwrap_or(world.user),
            tags: tags.clone(),
            ..world.new_run(second)
        };
        if *foreign {
            world.create(&world.other, &new).await?;
        } else {
            world.create(&world.own, &new).await?;
            own.push(new);
        }
    }
    let runs = &world.stores.runs;
    for scope in scopes {
        for person in people {
            let org = world.as_of(person, scope.clone());
            let found = walk(limit, async |page| runs.runs(&org, &page).await).await?;
            let found: Vec<_> = found.into_iter().map(|run| (run.id, run.tags)).collect();
            let admitted = own.iter().rev();
            let admitted = admitted.filter(|run| org.admits(run.requested_by, &run.tags));
            let admitted: Vec<_> = admitted.map(|run| (run.id, run.tags.clone())).collect();
            counts.add(match (admitted.len(), own.len()) {
                (0, _) => "none",
                (some, all) if some == all => "all",
                _ => "some",
            });
            if found != admitted {
                let reason = format!("{scope:?}: {found:?} and not {admitted:?}");
                return Ok(Err(TestCaseError::fail(reason)));
            }
            for run in &own {
                let one = runs.run(&org, run.id).await?.is_some();
                if one != org.admits(run.requested_by, &run.tags) {
                    return Ok(Err(TestCaseError::fail(format!(
                        "{scope:?}: {run:?} {one}"
                    ))));
                }
            }
        }
    }
    Ok(Ok(()))
}
