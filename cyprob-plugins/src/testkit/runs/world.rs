//! Two organizations and what happens in them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cyprob_core::domain::audit::{Action, Actor, AuditEvent, Resource};
use cyprob_core::domain::{
    Caller, CtxIssuer, Cursor, Id, ObjectScope, OrgCtx, OrgId, Page, PageRequest, RoleName, Scoped,
    Tag, Timestamp, UserId,
};
use cyprob_core::ports::EntropyExt;
use cyprob_core::ports::store::{Outbox, StoreError};
use cyprob_core::testkit::SeededEntropy;
pub(super) use cyprob_core::testkit::race;

use crate::domain::{
    Digest, FactsFile, InstalledPlugin, Job, NewRun, PluginFile, PluginId, Requester, RunCounts,
    RunKey, RunResult, RunState, StoredFinding, Waiting,
};
use crate::ports::{CreateOutcome, InstallOutcome, PluginStore, Queue, RunStore};

/// How a behaviour ends.
pub(super) type Done = Result<(), StoreError>;
/// The lease that these tests take.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// What is tested: the stores, and the outbox that their events go into.
#[derive(Clone, Debug)]
pub struct Stores {
    /// The plugins.
    pub plugins: Arc<dyn PluginStore>,
    /// The runs.
    pub runs: Arc<dyn RunStore>,
    /// The queue of the runs.
    pub queue: Arc<dyn Queue>,
    /// The outbox.
    pub outbox: Arc<dyn Outbox>,
}

impl Stores {
    /// Stores that are one thing, and its outbox.
    pub fn of<S: PluginStore + RunStore + Queue>(stores: S, outbox: Arc<dyn Outbox>) -> Self {
        let stores = Arc::new(stores);
        Self {
            plugins: Arc::clone(&stores) as _,
            runs: Arc::clone(&stores) as _,
            queue: stores,
            outbox,
        }
    }
}

/// The stores with two organizations, and a source of ids.
pub(super) struct World {
    pub(super) stores: Stores,
    pub(super) own: Scoped,
    pub(super) other: Scoped,
    pub(super) user: UserId,
    entropy: SeededEntropy,
}

impl World {
    pub(super) fn new(stores: Stores) -> Self {
        let entropy = SeededEntropy::new(7);
        let issuer = CtxIssuer::for_composition();
        let org = |role: &RoleName| {
            let id: OrgId = entropy.id(moment(0));
            let org = issuer.org(id, role.clone(), Caller::system("test"));
            issuer.scoped(org, ObjectScope::ALL)
        };
        let role = "operator".parse::<RoleName>();
        let Ok(role) = role else {
            unreachable!("a built-in role")
        };
        Self {
            own: org(&role),
            other: org(&role),
            user: entropy.id(moment(0)),
            stores,
            entropy,
        }
    }

    /// The own organization as a person has it who may have these of its objects.
    pub(super) fn as_of(&self, user: UserId, objects: ObjectScope) -> Scoped {
        let caller = Caller {
            actor: Actor::User {
                id: user,
                session: None,
                token: None,
            },
            ..Caller::system("test")
        };
        let issuer = CtxIssuer::for_composition();
        let org = issuer.org(self.own.org(), self.own.org_ctx().role().clone(), caller);
        issuer.scoped(org, objects)
    }

    /// The same for a caller that is no person.
    pub(super) fn as_nobody(&self, objects: ObjectScope) -> Scoped {
        let issuer = CtxIssuer::for_composition();
        issuer.scoped(self.own.org_ctx().clone(), objects)
    }

    pub(super) fn id<I: Id>(&self, at: Timestamp) -> I {
        self.entropy.id(at)
    }

    pub(super) fn event_of(&self, org: &OrgCtx, action: Action) -> AuditEvent {
        let on = Resource::new("test", "x");
        AuditEvent::new(
            self.id(moment(0)),
            moment(0),
            &Caller::system("test"),
            action,
            on,
        )
        .in_org(org.org())
    }

    pub(super) fn event(&self, action: Action) -> AuditEvent {
        self.event_of(self.own.org_ctx(), action)
    }

    /// Checks which events were recorded since the last look.
    pub(super) async fn expect_events(&self, expected: &[Action]) -> Done {
        let found = self.stores.outbox.pending(10_000).await?;
        let actions: Vec<_> = found.iter().map(|event| event.action).collect();
        assert_eq!(actions, expected, "the events since the last look");
        let ids: Vec<_> = found.iter().map(|event| event.id).collect();
        self.stores.outbox.discard(&ids).await
    }

    /// An event whose id is recorded already, so that recording it fails.
    pub(super) async fn spent(&self, action: Action) -> Result<AuditEvent, StoreError> {
        let event = self.event(action);
        self.stores
            .outbox
            .record(std::slice::from_ref(&event))
            .await?;
        Ok(event)
    }

    pub(super) async fn install(
        &self,
        org: &OrgCtx,
        (plugin, file): &(InstalledPlugin, PluginFile),
    ) -> Result<InstallOutcome, StoreError> {
        let event = self.event_of(org, Action::PluginInstalled);
        self.stores.plugins.install(org, plugin, file, &event).await
    }

    pub(super) async fn enable(&self, org: &OrgCtx, id: &PluginId) -> Done {
        let event = self.event_of(org, Action::PluginEnabled);
        let enabled = self
            .stores
            .plugins
            .set_enabled(org, id, true, &event)
            .await?;
        assert!(
            enabled.is_some_and(|plugin| plugin.enabled),
            "enabled is enabled"
        );
        Ok(())
    }

    /// A run of two plugins, asked for at a second.
    pub(super) fn new_run(&self, second: i64) -> NewRun {
        let (a, b) = (
            plugin("alpha", "1.0.0", "a"),
            plugin("beta-beta", "1.0.0", "b"),
        );
        NewRun {
            id: self.id(moment(second)),
            requested_by: self.user,
            tags: BTreeSet::new(),
            at: moment(second),
            counts: RunCounts {
                facts: 3,
                plugins: 2,
                ..RunCounts::default()
            },
            plugins: vec![a.0.id, b.0.id],
            files: vec![a.1, b.1],
            rule_set: Digest::of(&second.to_be_bytes()),
            facts: FactsFile {
                format: "json".to_owned(),
                bytes: format!("{{\"second\":{second}}}").into_bytes(),
            },
            key: None,
        }
    }

    /// The same under a key of this requester's, for a request that a word tells from others.
    pub(super) fn keyed(&self, second: i64, requester: Requester, word: &str) -> NewRun {
        let key = RunKey {
            requester,
            text: "key".to_owned(),
            request: Digest::of(word.as_bytes()),
        };
        NewRun {
            key: Some(key),
            ..self.new_run(second)
        }
    }

    pub(super) async fn create(&self, org: &Scoped, run: &NewRun) -> Done {
        let event = self.event_of(org.org_ctx(), Action::RunCreated);
        let outcome = self.stores.runs.create(org, run, 1_000, &event).await?;
        assert_eq!(outcome, CreateOutcome::Queued);
        Ok(())
    }

    /// Queues a run of the own organization.
    pub(super) async fn queued(&self, second: i64) -> Result<NewRun, StoreError> {
        let run = self.new_run(second);
        self.create(&self.own, &run).await?;
        Ok(run)
    }

    pub(super) async fn due(&self, at: Timestamp) -> Result<Waiting, StoreError> {
        let due = self.stores.queue.due(at).await?;
        due.ok_or_else(|| StoreError::unavailable("a run should be due"))
    }

    pub(super) async fn take(
        &self,
        waiting: &Waiting,
        at: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        let event = self.event(Action::RunStarted);
        let queue = &self.stores.queue;
        queue.take(waiting, at, at.after(LEASE), &event).await
    }

    /// Takes the run that is due.
    pub(super) async fn taken(&self, at: Timestamp) -> Result<Job, StoreError> {
        let job = self.take(&self.due(at).await?, at).await?;
        job.ok_or_else(|| StoreError::unavailable("a due run should be taken"))
    }

    pub(super) async fn finish(&self, job: &Job, result: &RunResult) -> Result<bool, StoreError> {
        let event = self.event(Action::RunSucceeded);
        let queue = &self.stores.queue;
        queue
            .finish(job.org, job.run, job.fence, result, &event)
            .await
    }

    pub(super) async fn give_back(&self, job: &Job, counts: bool) -> Result<bool, StoreError> {
        let event = self.event(Action::RunRetried);
        let queue = &self.stores.queue;
        queue
            .give_back(job.org, job.run, job.fence, counts, "lost", &event)
            .await
    }

    /// A result with so many findings, told apart by a word.
    pub(super) fn result(&self, at: Timestamp, findings: usize, word: &str) -> RunResult {
        let mut ids: Vec<_> = (0..findings).map(|_| self.id(at)).collect();
        ids.sort_unstable();
        let stored = ids.into_iter().enumerate().map(|(n, id)| StoredFinding {
            id,
            body: format!("{{\"{word}\":{n}}}"),
        });
        RunResult {
            state: RunState::Succeeded,
            findings: stored.collect(),
            errors: 1,
            error: None,
            at,
        }
    }
}

/// A moment, in seconds from a fixed one.
pub(super) fn moment(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_767_225_600 + second)
}

/// An installed plugin and its file; the bytes decide its digest.
pub(super) fn plugin(id: &str, version: &str, bytes: &str) -> (InstalledPlugin, PluginFile) {
    let file = PluginFile::new(&format!("{id}.yaml"), bytes.as_bytes().to_vec());
    let Some(id) = PluginId::parse(id) else {
        unreachable!("{id} is an id")
    };
    let plugin = InstalledPlugin {
        name: format!("The {id} \u{1f980}"),
        id,
        version: version.to_owned(),
        digest: file.digest,
        enabled: false,
        installed_at: moment(1),
    };
    (plugin, file)
}

/// Tags by their texts.
pub(super) fn tags<C: FromIterator<Tag>>(texts: &[&str]) -> C {
    let parsed = texts.iter().map(|text| match text.parse() {
        Ok(tag) => tag,
        Err(error) => unreachable!("{text}: {error}"),
    });
    parsed.collect()
}

/// Walks all pages, and asks with cursors that no list gave out.
pub(super) async fn walk<T>(
    limit: u8,
    list: impl AsyncFn(PageRequest) -> Result<Page<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    for odd in [vec![], vec![0xff; 64], vec![0xc3, 0x28], vec![0; 16]] {
        list(PageRequest::new(limit, Some(Cursor::new(odd)))).await?;
    }
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = list(PageRequest::new(limit, after)).await?;
        assert!(page.items.len() <= usize::from(limit), "a page too long");
        let full = page.items.len() == usize::from(limit);
        all.extend(page.items);
        match page.next {
            Some(next) => {
                assert!(full, "a short page that names a next one");
                after = Some(next);
            }
            None => return Ok(all),
        }
        assert!(all.len() <= 1_000, "the pages do not end");
    }
}
