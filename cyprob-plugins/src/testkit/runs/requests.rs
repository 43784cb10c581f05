//! Runs as their organization sees them.

use std::sync::Arc;

use cyprob_core::domain::RunId;
use cyprob_core::domain::audit::Action;
use cyprob_core::ports::store::StoreError;

use super::world::{Done, Stores, World, moment, plugin, race, tags, walk};
use crate::domain::{Digest, NewRun, Requester, Run, RunState};
use crate::ports::{CancelOutcome, CreateOutcome, KeyedRun};

pub(super) fn run_of(new: &NewRun) -> Run {
    Run {
        id: new.id,
        state: RunState::Queued,
        counts: new.counts,
        requested_by: new.requested_by,
        tags: new.tags.clone(),
        created_at: new.at,
        finished_at: None,
        error: None,
    }
}

/// A run is read as it was asked for.
pub async fn a_run_comes_back_as_it_was(stores: Stores) -> Done {
    let world = World::new(stores);
    let new = NewRun {
        tags: tags(&["team:web", "a", "site/berlin"]),
        ..world.new_run(5)
    };
    world.create(&world.own, &new).await?;
    let found = world.stores.runs.run(&world.own, new.id).await?;
    assert_eq!(found, Some(run_of(&new)));
    let stranger: RunId = world.id(moment(5));
    assert_eq!(world.stores.runs.run(&world.own, stranger).await?, None);
    world.expect_events(&[Action::RunCreated]).await
}

/// A request that comes again under its key is answered with the first run; keys are an organization's own.
pub async fn the_same_key_gives_the_first_run(stores: Stores) -> Done {
    let world = World::new(stores);
    let by = Requester::Person(world.user);
    let (first, second) = (world.keyed(1, by, "it"), world.keyed(2, by, "it"));
    world.create(&world.own, &first).await?;
    let event = world.event(Action::RunCreated);
    let runs = &world.stores.runs;
    let again = runs.create(&world.own, &second, 1, &event).await?;
    assert_eq!(again, CreateOutcome::Known(run_of(&first)));
    assert_eq!(runs.run(&world.own, second.id).await?, None);
    world
        .create(&world.other, &world.keyed(3, by, "it"))
        .await?;
    world.expect_events(&[Action::RunCreated; 2]).await
}

/// Another request under a key that was used is not queued, and the first stays as it is.
pub async fn a_key_of_another_request_is_used(stores: Stores) -> Done {
    let world = World::new(stores);
    let by = Requester::Person(world.user);
    let (first, other) = (world.keyed(1, by, "it"), world.keyed(2, by, "another"));
    world.create(&world.own, &first).await?;
    let runs = &world.stores.runs;
    for most_open in [1, 1_000] {
        let event = world.event(Action::RunCreated);
        let outcome = runs.create(&world.own, &other, most_open, &event).await?;
        assert_eq!(outcome, CreateOutcome::KeyUsed);
    }
    assert_eq!(runs.run(&world.own, other.id).await?, None);
    assert_eq!(runs.run(&world.own, first.id).await?, Some(run_of(&first)));
    world.expect_events(&[Action::RunCreated]).await
}

/// A key's run is found with the digest of its request, by its requester, its text and its organization alone.
pub async fn a_key_tells_what_it_was_used_for(stores: Stores) -> Done {
    let world = World::new(stores);
    let by = Requester::Person(world.user);
    let runs = &world.stores.runs;
    assert_eq!(runs.keyed(&world.own, by, "key").await?, None);
    let first = world.keyed(1, by, "it");
    world.create(&world.own, &first).await?;
    world.queued(2).await?;
    let used = KeyedRun {
        request: Some(Digest::of(b"it")),
        id: first.id,
        run: Some(run_of(&first)),
    };
    assert_eq!(runs.keyed(&world.own, by, "key").await?, Some(used));
    let stranger = world.id(moment(0));
    for (org, by, text) in [
        (&world.own, by, "another"),
        (&world.own, Requester::Person(stranger), "key"),
        (&world.own, Requester::Service(world.id(moment(0))), "key"),
        (&world.other, by, "key"),
    ] {
        assert_eq!(runs.keyed(org, by, text).await?, None, "{by:?} {text}");
    }
    // The run as it is now, not as it was queued.
    let event = world.event(Action::RunCancelled);
    runs.cancel(&world.own, first.id, moment(9), &event).await?;
    let found = runs.keyed(&world.own, by, "key").await?;
    let state = found.and_then(|found| found.run).map(|run| run.state);
    assert_eq!(state, Some(RunState::Cancelled));
    world
        .expect_events(&[Action::RunCreated, Action::RunCreated, Action::RunCancelled])
        .await
}

/// Two people have each their own run under the same key, and so has a machine that acts for one of them.
pub async fn keys_are_each_requesters_own(stores: Stores) -> Done {
    let world = World::new(stores);
    let requesters = [
        Requester::Person(world.user),
        Requester::Person(world.id(moment(0))),
        Requester::Service(world.id(moment(0))),
    ];
    let mut made = Vec::new();
    // The same of one and something else of another: neither counts.
    for (second, (by, word)) in (1..).zip(requesters.into_iter().zip(["it", "it", "another"])) {
        let run = world.keyed(second, by, word);
        world.create(&world.own, &run).await?;
        made.push((by, word, run));
    }
    for (by, word, run) in made {
        let event = world.event(Action::RunCreated);
        let again = world.keyed(9, by, word);
        let runs = &world.stores.runs;
        let outcome = runs.create(&world.own, &again, 1_000, &event).await?;
        assert_eq!(outcome, CreateOutcome::Known(run_of(&run)));
    }
    world.expect_events(&[Action::RunCreated; 3]).await
}

/// Of a race of requests under one key, one is queued, and all are answered with it.
pub async fn of_many_requests_with_one_key_one_is_queued(stores: Stores) -> Done {
    let world = Arc::new(World::new(stores));
    let outcomes = race((0..8).map(|second| {
        let world = Arc::clone(&world);
        async move {
            let run = world.keyed(second, Requester::Person(world.user), "it");
            let event = world.event(Action::RunCreated);
            let outcome = world
                .stores
                .runs
                .create(&world.own, &run, 1, &event)
                .await?;
            match outcome {
                CreateOutcome::Queued => Ok((true, run.id)),
                CreateOutcome::Known(known) => Ok((false, known.id)),
                _ => Err(StoreError::unavailable("a known run is not refused")),
            }
        }
    }))
    .await?;
    assert_eq!(outcomes.iter().filter(|(queued, _)| *queued).count(), 1);
    let first = outcomes.first().map(|(_, id)| *id);
    assert!(outcomes.iter().all(|(_, id)| Some(*id) == first));
    world.expect_events(&[Action::RunCreated]).await
}

/// A run beyond the bound is not queued; what has ended, and other organizations, leave room.
pub async fn each_organization_has_so_many_open(stores: Stores) -> Done {
    let world = World::new(stores);
    let runs = &world.stores.runs;
    let mut made = Vec::new();
    let mut outcomes = Vec::new();
    for second in 0..4 {
        let run = world.new_run(second);
        let event = world.event(Action::RunCreated);
        outcomes.push(runs.create(&world.own, &run, 3, &event).await?);
        made.push(run);
    }
    let queued = CreateOutcome::Queued;
    let full = CreateOutcome::Full;
    assert_eq!(
        outcomes,
        [queued.clone(), queued.clone(), queued.clone(), full.clone()]
    );
    world.expect_events(&[Action::RunCreated; 3]).await?;
    let theirs = world.event_of(world.other.org_ctx(), Action::RunCreated);
    let outcome = runs
        .create(&world.other, &world.new_run(9), 3, &theirs)
        .await?;
    assert_eq!(outcome, queued);
    // One that runs is still open; one that has ended is not.
    let job = world.taken(moment(10)).await?;
    let again = async || {
        let event = world.event(Action::RunCreated);
        runs.create(&world.own, &world.new_run(9), 3, &event).await
    };
    assert_eq!(again().await?, full);
    assert!(
        world
            .finish(&job, &world.result(moment(11), 0, "none"))
            .await?
    );
    assert_eq!(again().await?, queued);
    assert_eq!(again().await?, full);
    Ok(())
}

/// A run that has not ended is cancelled, once; what has ended stays as it ended.
pub async fn a_run_is_cancelled_once(stores: Stores) -> Done {
    let world = World::new(stores);
    let (queued, running) = (world.queued(2).await?, world.queued(1).await?);
    world.taken(moment(10)).await?;
    let runs = &world.stores.runs;
    world
        .expect_events(&[Action::RunCreated, Action::RunCreated, Action::RunStarted])
        .await?;
    for new in [&queued, &running] {
        let cancelled = Run {
            state: RunState::Cancelled,
            finished_at: Some(moment(20)),
            ..run_of(new)
        };
        let event = world.event(Action::RunCancelled);
        let first = runs.cancel(&world.own, new.id, moment(20), &event).await?;
        assert_eq!(first, CancelOutcome::Cancelled(cancelled.clone()));
        let event = world.event(Action::RunCancelled);
        let again = runs.cancel(&world.own, new.id, moment(30), &event).await?;
        assert_eq!(again, CancelOutcome::Ended(cancelled.clone()));
        assert_eq!(runs.run(&world.own, new.id).await?, Some(cancelled));
    }
    let ended = world.queued(3).await?;
    let job = world.taken(moment(10)).await?;
    assert!(
        world
            .finish(&job, &world.result(moment(11), 1, "x"))
            .await?
    );
    let event = world.event(Action::RunCancelled);
    let late = runs
        .cancel(&world.own, ended.id, moment(20), &event)
        .await?;
    assert!(matches!(late, CancelOutcome::Ended(run) if run.state == RunState::Succeeded));
    let stranger: RunId = world.id(moment(5));
    let missing = runs
        .cancel(&world.own, stranger, moment(20), &event)
        .await?;
    assert_eq!(missing, CancelOutcome::NotFound);
    world
        .expect_events(&[
            Action::RunCancelled,
            Action::RunCancelled,
            Action::RunCreated,
            Action::RunStarted,
            Action::RunSucceeded,
        ])
        .await
}

/// Runs come the newest first, each on one page.
pub async fn runs_come_in_pages_the_newest_first(stores: Stores) -> Done {
    let world = World::new(stores);
    let mut expected = Vec::new();
    for second in 0..7 {
        expected.push(run_of(&world.queued(second).await?));
    }
    expected.reverse();
    let runs = &world.stores.runs;
    for limit in [1, 3, 7, 8] {
        let found = walk(limit, async |page| runs.runs(&world.own, &page).await);
        assert_eq!(found.await?, expected);
    }
    Ok(())
}

/// Findings come in the order of the report, each on one page; a run that is not there has no list.
pub async fn findings_come_in_pages_in_their_order(stores: Stores) -> Done {
    let world = World::new(stores);
    let (new, empty) = (world.queued(1).await?, world.queued(2).await?);
    let job = world.taken(moment(10)).await?;
    let result = world.result(moment(11), 7, "nasty \\\" \\u0000 \u{1f980}");
    assert!(world.finish(&job, &result).await?);
    let runs = &world.stores.runs;
    for limit in [1, 3, 7, 8] {
        let found = walk(limit, async |page| {
            let page = runs.findings(&world.own, new.id, &page).await?;
            page.ok_or_else(|| cyprob_core::ports::store::StoreError::unavailable("no run"))
        });
        assert_eq!(found.await?, result.findings);
    }
    let page = Default::default();
    let none = runs.findings(&world.own, empty.id, &page).await?;
    assert!(none.is_some_and(|page| page.items.is_empty() && page.next.is_none()));
    let stranger: RunId = world.id(moment(5));
    let none = runs.findings(&world.own, stranger, &page).await?;
    assert_eq!(none, None);
    Ok(())
}

/// What becomes of its plugins later does not change a run.
pub async fn a_run_keeps_what_it_pinned(stores: Stores) -> Done {
    let world = World::new(stores);
    let first = plugin("alpha", "1.0.0", "a");
    world.install(world.own.org_ctx(), &first).await?;
    let new = world.queued(1).await?;
    world
        .install(world.own.org_ctx(), &plugin("alpha", "2.0.0", "another"))
        .await?;
    let event = world.event(Action::PluginRemoved);
    let removed = world
        .stores
        .plugins
        .remove(world.own.org_ctx(), &first.0.id, &event)
        .await?;
    assert!(removed);
    let job = world.taken(moment(10)).await?;
    assert_eq!((job.plugins, job.files), (new.plugins, new.files));
    Ok(())
}

/// If the event cannot be recorded, nothing was queued or cancelled.
pub async fn a_change_whose_event_fails_is_not_made(stores: Stores) -> Done {
    let world = World::new(stores);
    let spent = world.spent(Action::RunCreated).await?;
    let runs = &world.stores.runs;
    let new = world.new_run(1);
    assert!(runs.create(&world.own, &new, 9, &spent).await.is_err());
    assert_eq!(runs.run(&world.own, new.id).await?, None);
    assert_eq!(world.stores.queue.due(moment(10)).await?, None);
    world.create(&world.own, &new).await?;
    let cancelled = runs.cancel(&world.own, new.id, moment(2), &spent).await;
    assert!(cancelled.is_err(), "the event's id came twice");
    assert_eq!(runs.run(&world.own, new.id).await?, Some(run_of(&new)));
    world.expect_events(&[Action::RunCreated; 2]).await
}
