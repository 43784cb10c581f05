//! Asking for runs and seeing what came of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use cyprob_core::domain::audit::{Action, AuditEvent, MetaValue, Resource};
use cyprob_core::domain::{OrgCtx, Page, PageRequest, RunId, Scoped, Tag, Timestamp, UserId};
use cyprob_core::ports::store::{Outbox, StoreError};
use cyprob_core::ports::{Clock, Entropy, EntropyExt};
use tokio::sync::{Notify, Semaphore};

use super::hidden::{Permission, Refusals, joined};
use crate::domain::{
    Diagnostic, FactsFile, Mode, NewRun, PluginId, Requester, Run, RunCounts, RunKey,
    StoredFinding, request_digest,
};
use crate::ports::{CancelOutcome, CreateOutcome, FileReader, KeyedRun, PluginStore, RunStore};
use crate::service::RuleSet;

/// Most plugins of one run.
const MAX_PLUGINS: usize = 1_000;
/// Most bytes of their files together.
const MAX_PLUGIN_BYTES: usize = 32 << 20;

/// Most runs of one organization that are queued or running.
const MAX_OPEN: u32 = 100;
/// Facts that are read at once, in all: reading takes many times their size in memory.
const READERS: usize = 2;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// What to run on.
    pub facts: FactsFile,
    /// What to run; all that are enabled, if nothing is said.
    pub plugins: Option<Vec<PluginId>>,
    /// What to mark the run with, for good.
    pub tags: BTreeSet<Tag>,
    /// A key of the caller's by which the same request is known when it comes again.
    pub idempotency_key: Option<String>,
}

/// Why a run was not queued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunRequestError {
    /// The facts cannot be read.
    #[error("the facts cannot be read")]
    Facts(Box<Diagnostic>),
    /// There is nothing to run on.
    #[error("there are no facts")]
    NoFacts,
    /// A plugin is not installed, or not enabled.
    #[error("plugin {0} is not installed or not enabled")]
    UnknownPlugin(PluginId),
    /// There is nothing to run.
    #[error("no plugin is enabled")]
    NoPlugins,
    /// There is too much to run.
    #[error("a run takes at most 1000 plugins, 32 MiB together")]
    TooManyPlugins,
    /// The run has too many tags.
    #[error("a run has at most {} tags", Tag::MOST)]
    TooManyTags,
    /// The run would be none of those the caller may have.
    #[error("the caller may not ask for a run with these tags")]
    Outside,
    /// The caller asked for something else under this idempotency key before.
    #[error("the idempotency key was used for another request")]
    KeyUsed,
    /// The run that was asked for under this key before is none of those the caller may have.
    #[error("the run of the idempotency key is not found")]
    NotFound,
    /// The organization has as many runs open as it may.
    #[error("at most {MAX_OPEN} runs of an organization are open at once")]
    TooManyRuns,
    /// A stored plugin does not load any more.
    #[error("the installed plugin {0} does not load")]
    Plugin(PluginId),
    /// The store failed.
    #[error("the run could not be stored")]
    Store(#[from] StoreError),
}

/// Takes requests for runs.
#[derive(Clone, Debug)]
pub struct RunRequests {
    plugins: Arc<dyn PluginStore>,
    runs: Arc<dyn RunStore>,
    reader: Arc<dyn FileReader>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    queued: Arc<Notify>,
    readers: Arc<Semaphore>,
    refusals: Refusals,
}

impl RunRequests {
    /// The requests over their ports; refusals go into the outbox, and `queued` wakes the dispatcher.
    #[must_use]
    pub fn new(
        plugins: Arc<dyn PluginStore>,
        runs: Arc<dyn RunStore>,
        reader: Arc<dyn FileReader>,
        outbox: Arc<dyn Outbox>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        queued: Arc<Notify>,
    ) -> Self {
        Self {
            plugins,
            refusals: Refusals::new(
                Arc::clone(&runs),
                outbox,
                Arc::clone(&clock),
                Arc::clone(&entropy),
            ),
            runs,
            reader,
            clock,
            entropy,
            queued,
            readers: Arc::new(Semaphore::new(READERS)),
        }
    }

    fn event(&self, org: &OrgCtx, at: Timestamp, action: Action, run: RunId) -> AuditEvent {
        let on = Resource::new("run", run);
        AuditEvent::new(self.entropy.id(at), at, org.caller(), action, on).in_org(org.org())
    }

    /// Queues a run: its plugins and their bytes are pinned now.
    ///
    /// The same request again under the same idempotency key gives the run of the
    /// first, whatever became of its plugins, as long as the caller's role still permits it;
    /// another request under it is refused. Keys are each caller's own, those
    /// of a service account its own and not of the person it acts for. A run that the
    /// caller may not have once it is there is not queued, and one of a key that they
    /// may not have any more is not given out: both are recorded as refusals.
    ///
    /// # Errors
    ///
    /// [`RunRequestError`]; nothing was queued.
    pub async fn create(
        &self,
        org: &Scoped,
        by: UserId,
        request: RunRequest,
    ) -> Result<Run, RunRequestError> {
        if request.tags.len() > Tag::MOST {
            return Err(RunRequestError::TooManyTags);
        }
        if !org.admits_new(by, &request.tags) {
            self.refusals.outside(org, &request.tags).await?;
            return Err(RunRequestError::Outside);
        }
        let requester = Requester::of(&org.caller().actor, by);
        if let Some(text) = &request.idempotency_key
            && let Some(known) = self.runs.keyed(org, requester, text).await?
        {
            return self.again(org, known, request).await;
        }
        let at = self.clock.now();
        let (tags, text) = (request.tags, request.idempotency_key);
        let named = text.as_ref().and(request.plugins.clone());
        let chosen = self.chosen(org.org_ctx(), request.plugins).await?;
        let facts = request.facts;
        let read = self.reading(move |reader| {
            let sets = reader.facts(&facts).map_err(RunRequestError::Facts)?;
            let key = text.map(|text| RunKey {
                requester,
                text,
                request: request_digest(named.as_deref(), &tags, &sets),
            });
            let mut plugins = Vec::with_capacity(chosen.len());
            for (plugin, file) in &chosen {
                let read = reader.plugin(file);
                let (read, _) = read.map_err(|_| RunRequestError::Plugin(plugin.clone()))?;
                plugins.push(read);
            }
            let rules = RuleSet::new(plugins, Mode::Fixed);
            let rules = rules.map_err(|error| RunRequestError::Plugin(error.plugin))?;
            Ok::<_, RunRequestError>((facts, sets.len(), chosen, rules.digest(), tags, key))
        });
        let (facts, sets, chosen, rule_set, tags, key) = read.await?;
        if sets == 0 {
            return Err(RunRequestError::NoFacts);
        }
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let counts = RunCounts {
            facts: count(sets),
            plugins: count(chosen.len()),
            ..RunCounts::default()
        };
        let (plugins, files) = chosen.into_iter().unzip();
        let new = NewRun {
            id: self.entropy.id(at),
            requested_by: by,
            tags,
            at,
            counts,
            plugins,
            files,
            rule_set,
            facts,
            key,
        };
        let mut event = self
            .event(org.org_ctx(), at, Action::RunCreated, new.id)
            .with("facts", MetaValue::count(counts.facts.into()))
            .with("plugins", MetaValue::count(counts.plugins.into()))
            .with("rule_set", MetaValue::public(rule_set));
        if !new.tags.is_empty() {
            event = event.with("tags", MetaValue::public(joined(&new.tags)));
        }
        match self.runs.create(org, &new, MAX_OPEN, &event).await? {
            CreateOutcome::Full => Err(RunRequestError::TooManyRuns),
            CreateOutcome::Known(run) => Ok(run),
            CreateOutcome::KeyUsed => Err(RunRequestError::KeyUsed),
            CreateOutcome::Hidden(run) => Err(self.hidden(org, run).await?),
            CreateOutcome::Outside => Err(RunRequestError::Outside),
            CreateOutcome::Queued => {
                self.queued.notify_one();
                Ok(Run {
                    id: new.id,
                    state: crate::domain::RunState::Queued,
                    counts,
                    requested_by: by,
                    tags: new.tags,
                    created_at: at,
                    finished_at: None,
                    error: None,
                })
            }
        }
    }

    /// A request under a key that its requester used before: only what it asks for is looked at.
    async fn again(
        &self,
        org: &Scoped,
        known: KeyedRun,
        request: RunRequest,
    ) -> Result<Run, RunRequestError> {
        let digest = self.reading(move |reader| {
            let sets = reader.facts(&request.facts);
            let sets = sets.map_err(RunRequestError::Facts)?;
            let named = request.plugins.as_deref();
            Ok(request_digest(named, &request.tags, &sets))
        });
        if !known.is_of(&digest.await?) {
            return Err(RunRequestError::KeyUsed);
        }
        match known.run {
            Some(run) => Ok(run),
            None => Err(self.hidden(org, known.id).await?),
        }
    }

    /// Records that a run of a key was not given out.
    async fn hidden(&self, org: &Scoped, run: RunId) -> Result<RunRequestError, StoreError> {
        self.refusals.missing(org, run, Permission::CREATE).await?;
        Ok(RunRequestError::NotFound)
    }

    /// Reads on a thread for such work: that is bounded, but too long for those that answer requests.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn FileReader) -> Result<T, RunRequestError> + Send + 'static,
    ) -> Result<T, RunRequestError> {
        let reader = Arc::clone(&self.reader);
        let turn = Arc::clone(&self.readers).acquire_owned().await;
        let turn = turn.map_err(StoreError::unavailable)?;
        let done = tokio::task::spawn_blocking(move || {
            // Given back when the reading ends, whether or not somebody still waits for it.
            let _turn = turn;
            read(reader.as_ref())
        });
        done.await.map_err(StoreError::unavailable)?
    }

    async fn chosen(
        &self,
        org: &OrgCtx,
        named: Option<Vec<PluginId>>,
    ) -> Result<Vec<(PluginId, crate::domain::PluginFile)>, RunRequestError> {
        let chosen: Vec<_> = match named {
            None => {
                let enabled = self.plugins.enabled(org, MAX_PLUGINS + 1).await?;
                enabled.into_iter().map(|(p, file)| (p.id, file)).collect()
            }
            Some(mut named) => {
                named.sort_unstable();
                named.dedup();
                if named.len() > MAX_PLUGINS {
                    return Err(RunRequestError::TooManyPlugins);
                }
                let mut chosen = Vec::with_capacity(named.len());
                for id in named {
                    match self.plugins.plugin(org, &id).await? {
                        Some((plugin, file)) if plugin.enabled => chosen.push((id, file)),
                        _ => return Err(RunRequestError::UnknownPlugin(id)),
                    }
                }
                chosen
            }
        };
        let bytes: usize = chosen.iter().map(|(_, file)| file.bytes.len()).sum();
        match chosen.len() {
            0 => Err(RunRequestError::NoPlugins),
            n if n > MAX_PLUGINS || bytes > MAX_PLUGIN_BYTES => {
                Err(RunRequestError::TooManyPlugins)
            }
            _ => Ok(chosen),
        }
    }

    /// One run.
    ///
    /// Whoever names a run that they may not have gets none, and is recorded.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn get(&self, org: &Scoped, id: RunId) -> Result<Option<Run>, StoreError> {
        let found = self.runs.run(org, id).await?;
        if found.is_none() {
            self.refusals.missing(org, id, Permission::READ).await?;
        }
        Ok(found)
    }

    /// The runs that the caller may have, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn list(&self, org: &Scoped, page: &PageRequest) -> Result<Page<Run>, StoreError> {
        self.runs.runs(org, page).await
    }

    /// What a run found; none if there is no such run.
    ///
    /// Whoever names a run that they may not have gets none, and is recorded.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn findings(
        &self,
        org: &Scoped,
        id: RunId,
        page: &PageRequest,
    ) -> Result<Option<Page<StoredFinding>>, StoreError> {
        let found = self.runs.findings(org, id, page).await?;
        if found.is_none() {
            self.refusals.missing(org, id, Permission::READ).await?;
        }
        Ok(found)
    }

    /// Takes a run back; one that has ended stays as it ended.
    ///
    /// Whoever names a run that they may not have changes nothing, and is recorded.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn cancel(&self, org: &Scoped, id: RunId) -> Result<CancelOutcome, StoreError> {
        let at = self.clock.now();
        let event = self.event(org.org_ctx(), at, Action::RunCancelled, id);
        let outcome = self.runs.cancel(org, id, at, &event).await?;
        if outcome == CancelOutcome::NotFound {
            self.refusals.missing(org, id, Permission::CREATE).await?;
        }
        Ok(outcome)
    }
}
