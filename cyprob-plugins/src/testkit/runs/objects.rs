//! Which of an organization's runs a caller may have.

use std::collections::BTreeSet;

use cyprob_core::domain::audit::Action;
use cyprob_core::domain::{Cursor, ObjectScope, PageRequest, RunId, Scoped, Tag, UserId};
use cyprob_core::ports::store::StoreError;

use super::requests::run_of;
use super::world::{Done, Stores, World, moment, tags, walk};
use crate::domain::{Digest, NewRun, Requester, Run, RunState};
use crate::ports::{CancelOutcome, CreateOutcome};

/// The tags that runs of these tests have, and one that none has.
const SETS: [&[&str]; 5] = [&[], &["web"], &["db"], &["web", "db", "prod"], &["prod"]];

/// Scopes of every shape: all, own, tagged, own and tagged, what joins of them give, none.
pub(super) fn shapes() -> Vec<ObjectScope> {
    let tagged = |texts: &[&str]| ObjectScope::tagged(tags::<Vec<Tag>>(texts));
    let own_tagged = |texts: &[&str]| ObjectScope::own_tagged(tags::<Vec<Tag>>(texts));
    vec![
        ObjectScope::ALL,
        ObjectScope::NONE,
        ObjectScope::OWN,
        tagged(&["web"]),
        tagged(&["nobody-has-it"]),
        tagged(&["web", "db", "nobody-has-it"]),
        own_tagged(&["web"]),
        own_tagged(&["db", "prod"]),
        ObjectScope::OWN.join(tagged(&["db"])),
        tagged(&["prod"]).join(own_tagged(&["web"])),
        ObjectScope::OWN.join(own_tagged(&["web"])),
        ObjectScope::ALL.join(tagged(&["web"])),
    ]
}

/// Two people, and a run of each with each set of tags, the oldest first.
async fn site(world: &World) -> Result<([UserId; 2], Vec<NewRun>), StoreError> {
    let people = [world.user, world.id(moment(0))];
    let mut made = Vec::new();
    for (second, set) in (0..).zip(SETS.iter().chain(&SETS)) {
        for by in people {
            let run = tagged_run(world, second, by, tags(set));
            world.create(&world.own, &run).await?;
            made.push(run);
        }
    }
    made.sort_by_key(|run| run.id);
    Ok((people, made))
}

fn tagged_run(world: &World, second: i64, by: UserId, tags: BTreeSet<Tag>) -> NewRun {
    NewRun {
        requested_by: by,
        tags,
        ..world.new_run(second)
    }
}

fn admitted(org: &Scoped, runs: &[NewRun]) -> Vec<Run> {
    let newest_first = runs.iter().rev();
    let admitted = newest_first.filter(|run| org.admits(run.requested_by, &run.tags));
    admitted.map(run_of).collect()
}

/// A run, the list of runs and the findings of a run are answered for those the scope admits, and for no other.
pub async fn a_scope_decides_what_is_read(stores: Stores) -> Done {
    let world = World::new(stores);
    let (people, made) = site(&world).await?;
    let runs = &world.stores.runs;
    // One of them has findings.
    let job = world.taken(moment(20)).await?;
    let result = world.result(moment(21), 3, "x");
    assert!(world.finish(&job, &result).await?);
    let page = PageRequest::default();
    for scope in shapes() {
        for person in people {
            let org = world.as_of(person, scope.clone());
            for limit in [1, 3, 100] {
                let found = walk(limit, async |page| runs.runs(&org, &page).await).await?;
                let ids: Vec<_> = found.iter().map(|run| run.id).collect();
                let expected = admitted(&org, &made);
                let expected: Vec<_> = expected.iter().map(|run| run.id).collect();
                assert_eq!(ids, expected, "{scope:?}, {limit} to a page");
                for run in found {
                    assert_eq!(runs.run(&org, run.id).await?, Some(run), "{scope:?}");
                }
            }
            for run in &made {
                let admitted = org.admits(run.requested_by, &run.tags);
                let found = runs.run(&org, run.id).await?;
                let expected = admitted.then_some((run.requested_by, &run.tags));
                let told = found.as_ref().map(|run| (run.requested_by, &run.tags));
                assert_eq!(told, expected, "{scope:?}");
                let found = runs.findings(&org, run.id, &page).await?;
                let all = if run.id == job.run {
                    result.findings.clone()
                } else {
                    Vec::new()
                };
                let expected = admitted.then_some(all);
                assert_eq!(found.map(|page| page.items), expected, "{scope:?}");
            }
        }
    }
    Ok(())
}

/// A run is cancelled if the scope admits it; else it is as if there were none, and nothing changes.
pub async fn a_scope_decides_what_is_cancelled(stores: Stores) -> Done {
    let world = World::new(stores);
    let runs = &world.stores.runs;
    let people = [world.user, world.id(moment(0))];
    for scope in shapes() {
        let org = world.as_of(world.user, scope.clone());
        for (by, set) in people.iter().flat_map(|by| SETS.map(|set| (*by, set))) {
            let run = tagged_run(&world, 1, by, tags(set));
            world.create(&world.own, &run).await?;
            world.expect_events(&[Action::RunCreated]).await?;
            let event = world.event(Action::RunCancelled);
            let outcome = runs.cancel(&org, run.id, moment(2), &event).await?;
            let now = runs.run(&world.own, run.id).await?;
            if org.admits(by, &run.tags) {
                let cancelled = Run {
                    state: RunState::Cancelled,
                    finished_at: Some(moment(2)),
                    ..run_of(&run)
                };
                assert_eq!(
                    outcome,
                    CancelOutcome::Cancelled(cancelled.clone()),
                    "{scope:?}"
                );
                assert_eq!(now, Some(cancelled));
                world.expect_events(&[Action::RunCancelled]).await?;
                let event = world.event(Action::RunCancelled);
                let again = runs.cancel(&org, run.id, moment(3), &event).await?;
                assert!(matches!(again, CancelOutcome::Ended(_)), "{scope:?}");
            } else {
                assert_eq!(outcome, CancelOutcome::NotFound, "{scope:?}");
                assert_eq!(now, Some(run_of(&run)));
                let event = world.event(Action::RunCancelled);
                runs.cancel(&world.own, run.id, moment(2), &event).await?;
                // What has ended is no more there than what has not.
                let again = runs.cancel(&org, run.id, moment(3), &event).await?;
                assert_eq!(again, CancelOutcome::NotFound, "{scope:?}");
                world.expect_events(&[Action::RunCancelled]).await?;
            }
        }
    }
    Ok(())
}

/// A run is queued if the scope admits it; else nothing changes, even under a key that is known.
pub async fn a_scope_decides_what_is_created(stores: Stores) -> Done {
    let world = World::new(stores);
    let runs = &world.stores.runs;
    let people = [world.user, world.id(moment(0))];
    for scope in shapes() {
        let org = world.as_of(world.user, scope.clone());
        for (by, set) in people.iter().flat_map(|by| SETS.map(|set| (*by, set))) {
            let run = tagged_run(&world, 1, by, tags(set));
            let event = world.event(Action::RunCreated);
            let outcome = runs.create(&org, &run, 1_000, &event).await?;
            if org.admits_new(by, &run.tags) {
                assert_eq!(outcome, CreateOutcome::Queued, "{scope:?}");
                assert_eq!(runs.run(&world.own, run.id).await?, Some(run_of(&run)));
                world.expect_events(&[Action::RunCreated]).await?;
            } else {
                assert_eq!(outcome, CreateOutcome::Outside, "{scope:?}");
                assert!(!runs.exists(world.own.org_ctx(), run.id).await?);
                world.expect_events(&[]).await?;
            }
        }
    }
    Ok(())
}

/// Whether there is a run is told of every run of the organization.
pub async fn whether_there_is_a_run_is_told_of_each(stores: Stores) -> Done {
    let world = World::new(stores);
    let (_, made) = site(&world).await?;
    let runs = &world.stores.runs;
    for run in &made {
        assert!(runs.exists(world.own.org_ctx(), run.id).await?);
        assert!(!runs.exists(world.other.org_ctx(), run.id).await?);
    }
    let stranger: RunId = world.id(moment(5));
    assert!(!runs.exists(world.own.org_ctx(), stranger).await?);
    Ok(())
}

/// Under a key of one's own whose run one may not have any more nothing is queued, and only its id is told.
pub async fn a_key_of_a_run_outside_is_hidden(stores: Stores) -> Done {
    let world = World::new(stores);
    let (person, machine) = (world.id(moment(0)), world.id(moment(0)));
    let keyed = |second, by, word: &str| NewRun {
        requested_by: by,
        tags: tags(&["web"]),
        ..world.keyed(second, Requester::Service(machine), word)
    };
    // The machine acted for one person, and acts for another now.
    let first = keyed(1, world.user, "it");
    world.create(&world.own, &first).await?;
    world.expect_events(&[Action::RunCreated]).await?;
    let runs = &world.stores.runs;
    let web = || tags::<Vec<Tag>>(&["web"]);
    for (scope, word, expected) in [
        (
            ObjectScope::own_tagged(web()),
            "it",
            CreateOutcome::Hidden(first.id),
        ),
        (
            ObjectScope::own_tagged(web()),
            "another",
            CreateOutcome::KeyUsed,
        ),
        (
            ObjectScope::tagged(web()),
            "it",
            CreateOutcome::Known(run_of(&first)),
        ),
    ] {
        let org = world.as_of(person, scope);
        let event = world.event(Action::RunCreated);
        let asked = keyed(2, person, word);
        let outcome = runs.create(&org, &asked, 1_000, &event).await?;
        assert_eq!(outcome, expected);
        assert!(!runs.exists(org.org_ctx(), asked.id).await?);
        let by = Requester::Service(machine);
        let known = runs.keyed(&org, by, "key").await?;
        let digest = Digest::of(word.as_bytes());
        let outcome = known.map(|known| known.outcome(&digest));
        assert_eq!(outcome, Some(expected), "the same is told before");
    }
    world.expect_events(&[]).await
}

/// A page that begins after a run outside the scope has what comes after it, and only that.
pub async fn cursors_outside_neither_skip_nor_tell(stores: Stores) -> Done {
    let world = World::new(stores);
    let (people, made) = site(&world).await?;
    let runs = &world.stores.runs;
    for scope in shapes() {
        let org = world.as_of(people.first().copied().unwrap_or(world.user), scope.clone());
        for from in &made {
            let after = Cursor::new(from.id.as_bytes().to_vec());
            let page = runs.runs(&org, &PageRequest::new(3, Some(after))).await?;
            let mut expected = admitted(&org, &made);
            expected.retain(|run| run.id < from.id);
            let more = expected.len() > 3;
            expected.truncate(3);
            assert_eq!(page.items, expected, "{scope:?}");
            assert_eq!(page.next.is_some(), more, "{scope:?}");
        }
    }
    Ok(())
}

/// Runs of another organization by the same person with the same tags are not among them.
pub async fn tags_of_another_organization_are_nothing(stores: Stores) -> Done {
    let world = World::new(stores);
    let (_, made) = site(&world).await?;
    let mut theirs = Vec::new();
    for (second, set) in (0..).zip(SETS) {
        let run = tagged_run(&world, second, world.user, tags(set));
        world.create(&world.other, &run).await?;
        theirs.push(run);
    }
    let runs = &world.stores.runs;
    for scope in shapes() {
        let org = world.as_of(world.user, scope.clone());
        let found = walk(3, async |page| runs.runs(&org, &page).await).await?;
        assert_eq!(found, admitted(&org, &made), "{scope:?}");
        for run in &theirs {
            assert_eq!(runs.run(&org, run.id).await?, None, "{scope:?}");
            let page = PageRequest::default();
            assert_eq!(runs.findings(&org, run.id, &page).await?, None, "{scope:?}");
            let event = world.event(Action::RunCancelled);
            let outcome = runs.cancel(&org, run.id, moment(9), &event).await?;
            assert_eq!(outcome, CancelOutcome::NotFound, "{scope:?}");
        }
    }
    Ok(())
}

/// A caller that is no person, and acts for none, has runs by their tags alone.
pub async fn no_person_has_no_own_runs(stores: Stores) -> Done {
    let world = World::new(stores);
    let (_, made) = site(&world).await?;
    let runs = &world.stores.runs;
    for scope in shapes() {
        let org = world.as_nobody(scope.clone());
        assert_eq!(org.owner(), None);
        let found = walk(3, async |page| runs.runs(&org, &page).await).await?;
        assert_eq!(found, admitted(&org, &made), "{scope:?}");
        for run in &made {
            let found = runs.run(&org, run.id).await?;
            let admitted = org.admits(run.requested_by, &run.tags);
            assert_eq!(found.is_some(), admitted, "{scope:?}");
        }
    }
    Ok(())
}
