//! From the queue to workers and back.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use cyprob_core::ports::store::{Outbox, StoreError};
use cyprob_core::ports::{Clock, Entropy};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::domain::Waiting;
use crate::ports::{FileReader, JobTokens, Queue, Workers};

/// How often the queue is looked at without being told to.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the dispatcher works with.
#[derive(Debug)]
pub struct DispatcherParts {
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// Those who run.
    pub workers: Arc<dyn Workers>,
    /// The tokens of attempts.
    pub tokens: Arc<dyn JobTokens>,
    /// The reader of facts, to know what a report can be about.
    pub reader: Arc<dyn FileReader>,
    /// Where refused reports are told.
    pub outbox: Arc<dyn Outbox>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub entropy: Arc<dyn Entropy>,
    /// Wakes the dispatcher when a run was queued.
    pub queued: Arc<Notify>,
    /// How many jobs run at once.
    pub parallel: usize,
    /// How long one attempt may take, at most 10 minutes.
    pub patience: Duration,
}

/// Hands queued runs to workers and takes their reports.
#[derive(Debug)]
pub struct Dispatcher {
    pub(super) parts: DispatcherParts,
}

/// A dispatcher at work; end it with [`stop`](Self::stop).
///
/// Dropping it ends the dispatcher too, but does not wait for it.
#[derive(Debug)]
pub struct RunsTask {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RunsTask {
    /// Takes no further run, ends the workers, and gives their runs back to the queue.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // It ends early only by a panic, which was logged.
        let _ = self.task.await;
    }
}

/// Returns when the dispatcher is to end, or nobody is left who could say so.
pub(super) async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

impl Dispatcher {
    /// A dispatcher over its parts.
    #[must_use]
    pub fn new(mut parts: DispatcherParts) -> Self {
        parts.parallel = parts.parallel.clamp(1, 64);
        parts.patience = parts.patience.min(Duration::from_secs(600));
        Self { parts }
    }

    /// Begins to work. Leases of a process before this one end at once.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing runs then.
    pub async fn start(self) -> Result<RunsTask, StoreError> {
        let at = self.parts.clock.now();
        let left = self.parts.queue.reclaim(at).await?;
        if left > 0 {
            tracing::warn!(
                runs = left,
                "a process before this one left runs without a result"
            );
        }
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(Arc::new(self).work(stopped));
        Ok(RunsTask { stop, task })
    }

    async fn work(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(self.parts.parallel));
        let mut jobs = JoinSet::new();
        loop {
            let next = async {
                // The semaphore is never closed.
                let place = Arc::clone(&places).acquire_owned().await.ok()?;
                Some((self.next().await, place))
            };
            let (waiting, place) = tokio::select! {
                // Once it is to end, what was given back is not taken again.
                biased;
                () = told(&mut stopped) => break,
                next = next => match next {
                    Some(next) => next,
                    None => break,
                },
            };
            let (this, stopped) = (Arc::clone(&self), stopped.clone());
            jobs.spawn(async move {
                if let Err(error) = this.attempt(&waiting, stopped).await {
                    // Its lease ends by itself, and then it is taken again.
                    tracing::error!(run.id = %waiting.run, error = &error as &dyn Error, "an attempt could not be recorded");
                    sleep(LOOK_EVERY).await;
                }
                drop(place);
                // It may be waiting again.
                this.parts.queued.notify_one();
            });
            while jobs.try_join_next().is_some() {}
        }
        while jobs.join_next().await.is_some() {}
    }

    /// Waits for a run that can be taken.
    async fn next(&self) -> Waiting {
        loop {
            match self.parts.queue.due(self.parts.clock.now()).await {
                Ok(Some(waiting)) => return waiting,
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(error = &error as &dyn Error, "the queue cannot be read");
                }
            }
            // Either way the queue is looked at again.
            let _ = timeout(LOOK_EVERY, self.parts.queued.notified()).await;
        }
    }
}
