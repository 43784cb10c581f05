//! Plugins and runs of a control plane: the library, the requests, and the dispatcher's parts.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::ports::store::{Outbox, StoreError};
use cyprob_core::ports::{Clock, Entropy};
use cyprob_plugins::adapters::Files;
use cyprob_plugins::ports::{FileReader, JobTokens, Workers};
use cyprob_plugins::service::runs::{
    Dispatcher, DispatcherParts, PluginLibrary, RunRequests, RunsTask,
};
use tokio::sync::Notify;

use crate::Stores;

/// How many jobs run at once, and how long one may take.
const PARALLEL: usize = 2;
const PATIENCE: Duration = Duration::from_secs(300);

/// Everything about runs.
#[derive(Debug)]
pub(crate) struct PluginRuns {
    pub(crate) library: PluginLibrary,
    pub(crate) requests: RunRequests,
    stores: Stores,
    tokens: Arc<dyn JobTokens>,
    workers: Option<Arc<dyn Workers>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    queued: Arc<Notify>,
}

impl PluginRuns {
    pub(crate) fn new(
        stores: Stores,
        tokens: Arc<dyn JobTokens>,
        workers: Option<Arc<dyn Workers>>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let reader: Arc<dyn FileReader> = Arc::new(Files);
        let queued = Arc::new(Notify::new());
        let library = PluginLibrary::new(
            Arc::clone(&stores.plugins),
            Arc::clone(&reader),
            outbox(&stores),
            Arc::clone(&clock),
            Arc::clone(&entropy),
        );
        let requests = RunRequests::new(
            Arc::clone(&stores.plugins),
            Arc::clone(&stores.runs),
            reader,
            outbox(&stores),
            Arc::clone(&clock),
            Arc::clone(&entropy),
            Arc::clone(&queued),
        );
        Self {
            library,
            requests,
            stores,
            tokens,
            workers,
            clock,
            entropy,
            queued,
        }
    }

    /// Begins to hand runs to workers; nothing if there are none.
    pub(crate) async fn start(&self) -> Result<Option<RunsTask>, StoreError> {
        let Some(workers) = &self.workers else {
            return Ok(None);
        };
        let dispatcher = Dispatcher::new(DispatcherParts {
            queue: Arc::clone(&self.stores.queue),
            workers: Arc::clone(workers),
            tokens: Arc::clone(&self.tokens),
            reader: Arc::new(Files),
            outbox: outbox(&self.stores),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            queued: Arc::clone(&self.queued),
            parallel: PARALLEL,
            patience: PATIENCE,
        });
        dispatcher.start().await.map(Some)
    }
}

fn outbox(stores: &Stores) -> Arc<dyn Outbox> {
    Arc::clone(&stores.identity) as Arc<dyn Outbox>
}
