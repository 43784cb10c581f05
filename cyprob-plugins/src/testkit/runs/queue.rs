//! The queue: leases, fences, one result.

use std::sync::Arc;

use cyprob_core::domain::PageRequest;
use cyprob_core::domain::audit::Action;

use super::world::{Done, LEASE, Stores, World, moment, race};
use crate::domain::{Fence, Job, Run, RunState, Waiting};

async fn run_of(
    world: &World,
    job: &Job,
) -> Result<Option<Run>, cyprob_core::ports::store::StoreError> {
    world.stores.runs.run(&world.own, job.run).await
}

/// Runs are due the oldest first, of whatever organization.
pub async fn the_oldest_run_comes_first(stores: Stores) -> Done {
    let world = World::new(stores);
    assert_eq!(world.stores.queue.due(moment(100)).await?, None);
    let (late, early) = (world.new_run(9), world.new_run(3));
    world.create(&world.own, &late).await?;
    world.create(&world.other, &early).await?;
    let waiting = world.due(moment(100)).await?;
    let expected = Waiting {
        run: early.id,
        org: world.other.org(),
        requested_by: world.user,
        fence: Fence(0),
        attempts: 0,
    };
    assert_eq!(waiting, expected);
    world.take(&waiting, moment(100)).await?;
    assert_eq!(world.due(moment(100)).await?.run, late.id);
    Ok(())
}

/// Who asked for one run does not wait behind the many of another organization.
pub async fn organizations_take_turns(stores: Stores) -> Done {
    let world = World::new(stores);
    for second in 0..10 {
        world.create(&world.own, &world.new_run(second)).await?;
    }
    let mut taken = Vec::new();
    for step in 0..6 {
        if step == 2 {
            // They come late, and there are ten before them.
            for second in 20..22 {
                world.create(&world.other, &world.new_run(second)).await?;
            }
        }
        let job = world.taken(moment(100 + step)).await?;
        taken.push(job.org == world.other.org());
    }
    assert_eq!(taken, [false, false, true, false, true, false]);
    Ok(())
}

/// A taken run carries what was asked for, and shows as running.
pub async fn a_job_is_what_was_asked_for(stores: Stores) -> Done {
    let world = World::new(stores);
    let new = world.queued(1).await?;
    let job = world.taken(moment(10)).await?;
    assert_eq!((job.run, job.org), (new.id, world.own.org()));
    assert_eq!(job.requested_by, new.requested_by);
    assert_eq!((job.fence, job.attempt), (Fence(1), 1));
    assert_eq!(job.rule_set, new.rule_set);
    assert_eq!((&job.plugins, &job.files), (&new.plugins, &new.files));
    assert_eq!(job.facts, new.facts);
    let run = run_of(&world, &job).await?;
    assert!(run.is_some_and(|run| run.state == RunState::Running && run.finished_at.is_none()));
    world
        .expect_events(&[Action::RunCreated, Action::RunStarted])
        .await
}

/// A taken run is due again when its lease ends, not before, and under the next fence.
pub async fn a_taken_run_is_due_when_its_lease_ends(stores: Stores) -> Done {
    let world = World::new(stores);
    world.queued(1).await?;
    let job = world.taken(moment(10)).await?;
    let end = moment(10).after(LEASE);
    let before = cyprob_core::domain::Timestamp::from_micros(end.as_micros() - 1);
    assert_eq!(world.stores.queue.due(before).await?, None);
    let waiting = world.due(end).await?;
    assert_eq!((waiting.fence, waiting.attempts), (job.fence, 1));
    assert!(
        world.take(&waiting, before).await?.is_none(),
        "a lease that still holds"
    );
    let again = world.taken(end).await?;
    assert_eq!((again.fence, again.attempt), (Fence(2), 2));
    assert_eq!(again.facts, job.facts);
    Ok(())
}

/// A lease that is extended lasts until its new end.
pub async fn an_extended_lease_lasts(stores: Stores) -> Done {
    let world = World::new(stores);
    world.queued(1).await?;
    let job = world.taken(moment(10)).await?;
    let queue = &world.stores.queue;
    assert!(
        queue
            .extend(job.org, job.run, job.fence, moment(100))
            .await?
    );
    assert_eq!(queue.due(moment(99)).await?, None);
    assert_eq!(world.due(moment(100)).await?.run, job.run);
    Ok(())
}

/// Of a race of takers one gets the run.
pub async fn of_many_takers_one_gets_the_run(stores: Stores) -> Done {
    let world = Arc::new(World::new(stores));
    world.queued(1).await?;
    let waiting = world.due(moment(10)).await?;
    let racers = (0..8).map(|_| {
        let (world, waiting) = (Arc::clone(&world), waiting.clone());
        async move { world.take(&waiting, moment(10)).await }
    });
    let taken = race(racers).await?;
    assert_eq!(taken.iter().flatten().count(), 1);
    world
        .expect_events(&[Action::RunCreated, Action::RunStarted])
        .await
}

/// Who saw the run as it was before another took it and gave it back gets nothing.
pub async fn a_taker_with_an_old_view_gets_nothing(stores: Stores) -> Done {
    let world = World::new(stores);
    world.queued(1).await?;
    let old = world.due(moment(10)).await?;
    let job = world.taken(moment(10)).await?;
    assert!(world.give_back(&job, true).await?);
    assert!(world.take(&old, moment(11)).await?.is_none());
    assert_eq!(world.taken(moment(11)).await?.fence, Fence(2));
    Ok(())
}

/// Who lost a run to another attempt can neither keep, give back nor finish it.
pub async fn a_stale_fence_changes_nothing(stores: Stores) -> Done {
    let world = World::new(stores);
    world.queued(1).await?;
    let stale = world.taken(moment(10)).await?;
    let held = world.taken(moment(10).after(LEASE)).await?;
    world
        .expect_events(&[Action::RunCreated, Action::RunStarted, Action::RunStarted])
        .await?;
    let queue = &world.stores.queue;
    let ahead = Job {
        fence: Fence(held.fence.0 + 1),
        ..held.clone()
    };
    let foreign = Job {
        org: world.other.org(),
        ..held.clone()
    };
    for wrong in [&stale, &ahead, &foreign] {
        assert!(
            !queue
                .extend(wrong.org, wrong.run, wrong.fence, moment(999))
                .await?
        );
        assert!(!world.give_back(wrong, false).await?);
        let result = world.result(moment(50), 3, "stale");
        assert!(!world.finish(wrong, &result).await?);
    }
    world.expect_events(&[]).await?;
    let result = world.result(moment(51), 2, "held");
    assert!(world.finish(&held, &result).await?);
    let page = PageRequest::default();
    let found = world
        .stores
        .runs
        .findings(&world.own, held.run, &page)
        .await?;
    assert!(found.is_some_and(|page| page.items == result.findings));
    world.expect_events(&[Action::RunSucceeded]).await
}

/// A run's result is taken once; afterwards the run is as the result said, for good.
pub async fn a_result_is_taken_once(stores: Stores) -> Done {
    let world = World::new(stores);
    let new = world.queued(1).await?;
    let job = world.taken(moment(10)).await?;
    let result = world.result(moment(20), 2, "first");
    assert!(world.finish(&job, &result).await?);
    let run = run_of(&world, &job).await?;
    let mut expected = new.counts;
    (expected.findings, expected.errors) = (2, 1);
    assert!(
        run.as_ref()
            .is_some_and(|run| run.state == RunState::Succeeded
                && run.counts == expected
                && run.finished_at == Some(moment(20))
                && run.error.is_none())
    );
    let mut second = world.result(moment(21), 1, "second");
    (second.state, second.error) = (RunState::Failed, Some("late".to_owned()));
    assert!(!world.finish(&job, &second).await?);
    assert!(!world.give_back(&job, true).await?);
    assert_eq!(run_of(&world, &job).await?, run);
    assert_eq!(world.stores.queue.due(moment(9_999)).await?, None);
    let mut other = world.queued(2).await?;
    let job = world.taken(moment(30)).await?;
    assert!(world.finish(&job, &second).await?);
    other.counts.findings = 1;
    let run = run_of(&world, &job).await?;
    assert!(run.is_some_and(|run| run.state == RunState::Failed && run.error == second.error));
    world
        .expect_events(&[
            Action::RunCreated,
            Action::RunStarted,
            Action::RunSucceeded,
            Action::RunCreated,
            Action::RunStarted,
            Action::RunSucceeded,
        ])
        .await
}

/// Of a race of results of one attempt one is taken, whole.
pub async fn of_many_results_one_is_taken(stores: Stores) -> Done {
    let world = Arc::new(World::new(stores));
    world.queued(1).await?;
    let job = world.taken(moment(10)).await?;
    let racers = (0..8).map(|number| {
        let (world, job) = (Arc::clone(&world), job.clone());
        async move {
            let result = world.result(moment(20), 5, &format!("racer {number}"));
            let taken = world.finish(&job, &result).await?;
            Ok(taken.then_some(result.findings))
        }
    });
    let taken: Vec<_> = race(racers).await?.into_iter().flatten().collect();
    assert_eq!(taken.len(), 1);
    let page = PageRequest::default();
    let found = world
        .stores
        .runs
        .findings(&world.own, job.run, &page)
        .await?;
    assert_eq!(found.map(|page| page.items), taken.into_iter().next());
    world
        .expect_events(&[Action::RunCreated, Action::RunStarted, Action::RunSucceeded])
        .await
}

/// An attempt that does not count is not counted; the fence grows in any case.
pub async fn only_attempts_that_count_are_counted(stores: Stores) -> Done {
    let world = World::new(stores);
    world.queued(1).await?;
    for (round, counts) in (1..).zip([false, true, false]) {
        let job = world.taken(moment(10)).await?;
        assert_eq!(job.fence, Fence(round));
        assert!(world.give_back(&job, counts).await?);
        let run = run_of(&world, &job).await?;
        assert!(run.is_some_and(
            |run| run.state == RunState::Queued && run.error.as_deref() == Some("lost")
        ));
    }
    let waiting = world.due(moment(10)).await?;
    assert_eq!((waiting.fence, waiting.attempts), (Fence(3), 1));
    Ok(())
}

/// What a worker says of a cancelled run is not taken, and the run is not handed out again.
pub async fn a_cancelled_run_takes_no_result(stores: Stores) -> Done {
    let world = World::new(stores);
    let new = world.queued(1).await?;
    let job = world.taken(moment(10)).await?;
    let event = world.event(Action::RunCancelled);
    let runs = &world.stores.runs;
    runs.cancel(&world.own, new.id, moment(11), &event).await?;
    let result = world.result(moment(12), 2, "late");
    assert!(!world.finish(&job, &result).await?);
    assert!(!world.give_back(&job, false).await?);
    let queue = &world.stores.queue;
    assert!(
        !queue
            .extend(job.org, job.run, job.fence, moment(99))
            .await?
    );
    assert_eq!(queue.due(moment(9_999)).await?, None);
    let run = run_of(&world, &job).await?;
    assert!(run.is_some_and(|run| run.state == RunState::Cancelled && run.counts == new.counts));
    world
        .expect_events(&[Action::RunCreated, Action::RunStarted, Action::RunCancelled])
        .await
}

/// After a restart every lease of the process before is at its end, once; its attempts are stale when taken anew.
pub async fn reclaiming_ends_every_lease(stores: Stores) -> Done {
    let world = World::new(stores);
    world.queued(1).await?;
    world.queued(2).await?;
    world.queued(3).await?;
    let first = world.taken(moment(10)).await?;
    world.taken(moment(10)).await?;
    let queue = &world.stores.queue;
    assert_eq!(queue.reclaim(moment(11)).await?, 2);
    assert_eq!(queue.reclaim(moment(11)).await?, 0);
    let again = world.taken(moment(11)).await?;
    assert_eq!((again.run, again.fence), (first.run, Fence(2)));
    let result = world.result(moment(12), 1, "of the process before");
    assert!(!world.finish(&first, &result).await?);
    Ok(())
}

/// If the event cannot be recorded, nothing was taken, given back or finished.
pub async fn a_change_whose_event_fails_is_not_made(stores: Stores) -> Done {
    let world = World::new(stores);
    world.queued(1).await?;
    let spent = world.spent(Action::RunStarted).await?;
    let queue = &world.stores.queue;
    let waiting = world.due(moment(10)).await?;
    let end = moment(10).after(LEASE);
    assert!(queue.take(&waiting, moment(10), end, &spent).await.is_err());
    assert_eq!(world.due(moment(10)).await?, waiting);
    let job = world.taken(moment(10)).await?;
    let before = run_of(&world, &job).await?;
    let (org, run, fence) = (job.org, job.run, job.fence);
    let given = queue.give_back(org, run, fence, true, "lost", &spent).await;
    assert!(given.is_err(), "the event's id came twice");
    let result = world.result(moment(20), 2, "x");
    let finished = queue.finish(org, run, fence, &result, &spent).await;
    assert!(finished.is_err(), "the event's id came twice");
    assert_eq!(run_of(&world, &job).await?, before);
    let page = PageRequest::default();
    let found = world.stores.runs.findings(&world.own, run, &page).await?;
    assert!(found.is_some_and(|page| page.items.is_empty()));
    assert!(world.finish(&job, &result).await?);
    Ok(())
}
