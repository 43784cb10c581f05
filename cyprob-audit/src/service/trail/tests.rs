use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{
    Caller, CtxIssuer, Cursor, Id as _, OrgId, Page, PageRequest, RoleName, Timestamp,
};
use cyprob_core::ports::{Clock, Entropy};
use secrecy::SecretBox;

use super::*;
use crate::adapters::memory::{MemoryLogStore, MemorySink, MemorySubjectKeys};
use crate::domain::{EntryFilter, LogSigner};
use crate::service::Sequencer;
use crate::testkit::events;

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_767_229_200)
    }
}

impl Entropy for Still {
    fn fill(&self, out: &mut [u8]) {
        out.fill(9);
    }
}

struct House {
    store: Arc<MemoryLogStore>,
    sequencer: Sequencer,
    trail: AuditTrail,
}

impl House {
    fn new() -> Self {
        let store = Arc::new(MemoryLogStore::default());
        let keys = Arc::new(MemorySubjectKeys::new(Arc::new(Still)));
        let sink = Arc::new(MemorySink::default());
        let origins = Origins::new("audit.example.com").unwrap();
        let seed = || SecretBox::new(Box::new([5; 32]));
        let signer = LogSigner::from_seed(origins.deployment().clone(), &seed());
        let verifier = signer.verifier().clone();
        let (log, files) = (Arc::clone(&store) as Arc<dyn LogStore>, Arc::clone(&sink));
        let subjects = Arc::clone(&keys) as Arc<dyn SubjectKeys>;
        Self {
            trail: AuditTrail::new(log, subjects, files, origins.clone(), verifier),
            sequencer: Sequencer::new(store.clone(), keys, sink, Arc::new(Still), origins, seed()),
            store,
        }
    }

    async fn record(&self, events: &[AuditEvent]) {
        self.store.outbox().record(events).await.unwrap();
    }

    async fn page(
        &self,
        org: OrgId,
        filter: &EntryFilter,
        limit: u8,
        after: Option<Cursor>,
    ) -> Result<Page<TrailItem>, TrailError> {
        let caller = Caller::system("test");
        let org = CtxIssuer::for_composition().org(org, RoleName::AUDITOR, caller);
        let page = PageRequest::new(limit, after);
        self.trail.of_org(&org).items(filter, &page).await
    }
}

/// Sixty events of one organization, and as many of the system and of another in between.
fn mixed() -> (OrgId, Vec<AuditEvent>) {
    let mut all = events(180);
    let org = all[0].org.unwrap();
    let other = OrgId::from_random(Timestamp::UNIX_EPOCH, [9; 10]);
    for (event, log) in all
        .iter_mut()
        .zip([Some(org), None, Some(other)].into_iter().cycle())
    {
        event.org = log;
    }
    (org, all)
}

#[tokio::test]
async fn pages_go_from_what_waits_to_what_is_placed_without_a_gap() {
    // The sequencer comes before, between or after any of the pages.
    for placed_before_page in 0..30 {
        let house = House::new();
        let (org, all) = mixed();
        let (first, then) = all.split_at(90);
        house.record(first).await;
        house.sequencer.step().await.unwrap();
        house.record(then).await;
        let mut seen = Vec::new();
        let mut after = None;
        for page in 0.. {
            if page == placed_before_page {
                house.sequencer.step().await.unwrap();
            }
            let page = house
                .page(org, &EntryFilter::default(), 4, after)
                .await
                .unwrap();
            assert!(page.items.len() <= 4);
            seen.extend(page.items.into_iter().map(|item| item.event.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let own = all.iter().rev().filter(|event| event.org == Some(org));
        assert_eq!(seen, own.map(|event| event.id).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_waits_is_narrowed_and_not_hidden_by_other_organizations() {
    let house = House::new();
    let (org, all) = mixed();
    let mut flood = events(5_000).split_off(all.len());
    for event in &mut flood {
        event.org = None;
    }
    house.record(&flood).await;
    house.record(&all).await;
    house.record(&events(5_400).split_off(5_000)).await;
    let action = all[0].action;
    let filter = EntryFilter {
        action: Some(action),
        ..EntryFilter::default()
    };
    let own = all.iter().rev().filter(|event| event.org == Some(org));
    let wanted: Vec<_> = own
        .filter(|event| filter.takes(event))
        .map(|event| event.id)
        .collect();
    let page = house.page(org, &filter, 100, None).await.unwrap();
    let found: Vec<_> = page.items.iter().map(|item| item.event.id).collect();
    assert!(found.ends_with(&wanted), "{found:?} {wanted:?}");
    assert!(page.items.iter().all(|item| item.index.is_none()));
}

#[tokio::test]
async fn a_cursor_of_another_log_is_none() {
    let house = House::new();
    let (org, all) = mixed();
    house.record(&all).await;
    let foreign = all.iter().find(|event| event.org != Some(org)).unwrap();
    let strange = [
        foreign.id.as_bytes().to_vec(),
        vec![],
        vec![0; 7],
        vec![255; 16],
        vec![1; 17],
    ];
    for placed in [false, true] {
        if placed {
            house.sequencer.step().await.unwrap();
        }
        for bytes in &strange {
            let cursor = Some(Cursor::new(bytes.clone()));
            let page = house.page(org, &EntryFilter::default(), 4, cursor).await;
            assert!(matches!(page, Err(TrailError::Cursor)), "{bytes:?}");
        }
    }
}
