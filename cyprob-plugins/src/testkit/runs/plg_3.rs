//! PLG-3 of the queue: whatever order things happen in.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use cyprob_core::domain::audit::Action;
use cyprob_core::domain::{PageRequest, RunId, Timestamp};
use cyprob_core::ports::store::StoreError;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::world::{LEASE, Stores, World, moment};
use crate::domain::{Fence, Job, RunState, StoredFinding};
use crate::testkit::properties::{Counts, runner};

#[derive(Clone, Debug)]
enum Step {
    Take,
    /// Somebody who ever had a run says it is done.
    Finish(prop::sample::Index),
    GiveBack(prop::sample::Index, bool),
    Extend(prop::sample::Index),
    Cancel(prop::sample::Index),
    Wait(u8),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let any = any::<prop::sample::Index>;
    prop_oneof![
        6 => Just(Step::Take),
        4 => any().prop_map(Step::Finish),
        3 => (any(), proptest::bool::ANY).prop_map(|(who, counts)| Step::GiveBack(who, counts)),
        4 => any().prop_map(Step::Extend),
        1 => any().prop_map(Step::Cancel),
        4 => (0..45_u8).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

/// What must hold of one run.
#[derive(Default)]
struct Known {
    fence: u64,
    result: Option<Vec<StoredFinding>>,
    cancelled: bool,
}

/// For any order of takes, results, returns, heartbeats, cancellations, waits
/// and restarts, by those who hold a run and those who held it once: a run has
/// at most one result, that of the attempt which held it then, and no run is
/// lost: each ends, or can be taken again.
///
/// # Panics
///
/// When the promise is broken, with the steps that break it.
pub fn plg_3_no_interleaving_loses_a_run_or_takes_two_results<T, F>(make: impl Fn() -> F)
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
    let result = runner().run(&prop::collection::vec(step(), 1..40), |steps| {
        runtime.block_on(async {
            let (stores, _alive) = make().await;
            let mut case = match Case::new(World::new(stores), &counts).await {
                Ok(case) => case,
                Err(error) => return Err(failed(&error)),
            };
            for step in &steps {
                case.step(step).await.map_err(|error| failed(&error))?;
                case.check().await?;
            }
            case.settle().await
        })
    });
    counts.print("plg_3_no_interleaving_loses_a_run_or_takes_two_results");
    if let Err(error) = result {
        unreachable!("{error}");
    }
}

fn failed(error: &StoreError) -> TestCaseError {
    TestCaseError::fail(format!("{error:?}"))
}

struct Case<'a> {
    world: World,
    counts: &'a Counts,
    at: Timestamp,
    runs: BTreeMap<RunId, Known>,
    /// Everybody who ever had a run.
    holders: Vec<Job>,
}

impl<'a> Case<'a> {
    async fn new(world: World, counts: &'a Counts) -> Result<Self, StoreError> {
        let mut runs = BTreeMap::new();
        for second in 0..3 {
            runs.insert(world.queued(second).await?.id, Known::default());
        }
        Ok(Self {
            world,
            counts,
            at: moment(10),
            runs,
            holders: Vec::new(),
        })
    }

    /// Whether this attempt is the last one that its run was taken for.
    fn is_latest(&self, job: &Job) -> bool {
        let known = self.runs.get(&job.run);
        known.is_some_and(|known| Fence(known.fence) == job.fence)
    }

    async fn take(&mut self) -> Result<bool, StoreError> {
        let Some(waiting) = self.world.stores.queue.due(self.at).await? else {
            return Ok(false);
        };
        let Some(job) = self.world.take(&waiting, self.at).await? else {
            unreachable!("nobody else takes")
        };
        let again = job.fence.0 > 1;
        if let Some(known) = self.runs.get_mut(&job.run) {
            assert!(job.fence.0 > known.fence, "a fence that did not grow");
            assert!(
                known.result.is_none() && !known.cancelled,
                "taken after its end"
            );
            known.fence = job.fence.0;
        }
        self.counts.add(if again { "taken again" } else { "taken" });
        self.holders.push(job);
        Ok(true)
    }

    async fn step(&mut self, step: &Step) -> Result<(), StoreError> {
        match step {
            Step::Take => drop(self.take().await?),
            Step::Wait(seconds) => self.at = self.at.after(Duration::from_secs((*seconds).into())),
            Step::Restart => drop(self.world.stores.queue.reclaim(self.at).await?),
            Step::Cancel(who) => {
                let Some(run) = self.runs.keys().nth(who.index(self.runs.len())).copied() else {
                    return Ok(());
                };
                let event = self.world.event(Action::RunCancelled);
                let (runs, own) = (&self.world.stores.runs, &self.world.own);
                runs.cancel(own, run, self.at, &event).await?;
                if let Some(known) = self.runs.get_mut(&run) {
                    known.cancelled |= known.result.is_none();
                }
                self.counts.add("cancelled");
            }
            Step::Finish(who) | Step::GiveBack(who, _) | Step::Extend(who) => {
                if self.holders.is_empty() {
                    return Ok(());
                }
                let Some(job) = self.holders.get(who.index(self.holders.len())).cloned() else {
                    return Ok(());
                };
                self.speak(&job, step).await?;
            }
        }
        Ok(())
    }

    /// Somebody who has or had a run says something of it.
    async fn speak(&mut self, job: &Job, step: &Step) -> Result<(), StoreError> {
        let latest = self.is_latest(job);
        match step {
            Step::GiveBack(_, counts) => {
                let given = self.world.give_back(job, *counts).await?;
                assert!(latest || !given, "a stale attempt gave the run back");
                self.counts.add(if given {
                    "given back"
                } else {
                    "return refused"
                });
            }
            Step::Extend(_) => {
                let queue = &self.world.stores.queue;
                let until = self.at.after(LEASE);
                let held = queue.extend(job.org, job.run, job.fence, until).await?;
                assert!(latest || !held, "a stale attempt kept the run");
                self.counts.add(if held {
                    "extended"
                } else {
                    "heartbeat refused"
                });
            }
            _ => self.report(job).await?,
        }
        Ok(())
    }

    /// Somebody who has or had a run says that it is done.
    async fn report(&mut self, job: &Job) -> Result<(), StoreError> {
        let latest = self.is_latest(job);
        let result = self.world.result(self.at, 2, &job.fence.0.to_string());
        let taken = self.world.finish(job, &result).await?;
        self.counts.add(if taken {
            "result taken"
        } else {
            "result refused"
        });
        if taken {
            assert!(latest, "the result of a stale attempt was taken");
            let known = self.runs.entry(job.run).or_default();
            assert!(known.result.is_none(), "two results were taken");
            assert!(!known.cancelled, "the result of a cancelled run was taken");
            known.result = Some(result.findings);
        }
        Ok(())
    }

    /// What the organization sees is what happened.
    async fn check(&self) -> Result<(), TestCaseError> {
        let (runs, own) = (&self.world.stores.runs, &self.world.own);
        for (id, known) in &self.runs {
            let run = runs.run(own, *id).await.map_err(|error| failed(&error))?;
            let page = PageRequest::default();
            let found = runs.findings(own, *id, &page).await;
            let found = found.map_err(|error| failed(&error))?;
            let state = run.map(|run| run.state);
            let found = found.map(|page| page.items);
            prop_assert_eq!(found, Some(known.result.clone().unwrap_or_default()));
            match (&known.result, known.cancelled) {
                (Some(_), _) => prop_assert_eq!(state, Some(RunState::Succeeded)),
                (None, true) => prop_assert_eq!(state, Some(RunState::Cancelled)),
                (None, false) => {
                    prop_assert!(matches!(state, Some(RunState::Queued | RunState::Running)));
                }
            }
        }
        Ok(())
    }

    /// When all leases have ended, what has not ended can be taken and finished.
    async fn settle(mut self) -> Result<(), TestCaseError> {
        self.at = self.at.after(Duration::from_secs(3_600));
        for _ in 0..self.runs.len() {
            if !self.take().await.map_err(|error| failed(&error))? {
                break;
            }
            let Some(job) = self.holders.last().cloned() else {
                break;
            };
            let spoken = self.report(&job).await;
            spoken.map_err(|error| failed(&error))?;
        }
        self.check().await?;
        for known in self.runs.values() {
            prop_assert!(known.result.is_some() || known.cancelled, "a run was lost");
        }
        Ok(())
    }
}
