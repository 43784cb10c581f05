//! Items by the page: first what waits for its place, then what is placed, the newest first.

use std::collections::BTreeSet;

use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::domain::{Cursor, EventId, Id, Page, PageRequest};

use super::{TrailError, TrailItem, TrailView};
use crate::domain::{EntryFilter, OpenedLeaf};
use crate::ports::Look;

/// How many waiting events and how many placed ones are looked at for a page.
const LOOK: (usize, u64) = (1_024, 16_384);

/// Where a page begins.
enum Start {
    /// At the newest event.
    Newest,
    /// Below this waiting event, which may have been placed since.
    Waiting(EventId),
    /// Below this index.
    Placed(u64),
}

impl Start {
    fn parse(cursor: Option<&[u8]>) -> Result<Self, TrailError> {
        let Some(cursor) = cursor else {
            return Ok(Self::Newest);
        };
        if let Ok(index) = <[u8; 8]>::try_from(cursor) {
            return Ok(Self::Placed(u64::from_be_bytes(index)));
        }
        EventId::from_slice(cursor)
            .map(Self::Waiting)
            .map_err(|_| TrailError::Cursor)
    }

    fn cursor(&self) -> Option<Cursor> {
        match self {
            Self::Newest => None,
            Self::Waiting(event) => Some(Cursor::new(event.as_bytes().to_vec())),
            Self::Placed(index) => Some(Cursor::new(index.to_be_bytes().to_vec())),
        }
    }
}

/// Waiting events of a page, and where to look on.
struct Waiting {
    events: Vec<AuditEvent>,
    /// Below this index are the placed ones; none if more may be waiting.
    placed: Option<Option<u64>>,
    /// The last event that was looked at.
    last: Option<EventId>,
}

impl TrailView<'_> {
    /// The items that a filter takes, the newest first; those not placed yet come before all others.
    ///
    /// The work is bounded: a page may be short, or even empty, and have a
    /// cursor all the same, when what was looked at held no more.
    ///
    /// # Errors
    ///
    /// [`TrailError`].
    pub async fn items(
        &self,
        filter: &EntryFilter,
        page: &PageRequest,
    ) -> Result<Page<TrailItem>, TrailError> {
        let waiting = match Start::parse(page.after())? {
            Start::Newest => self.waiting(None, filter, page.limit()).await?,
            Start::Waiting(event) => self.waiting(Some(event), filter, page.limit()).await?,
            Start::Placed(index) => Waiting {
                events: Vec::new(),
                placed: Some(Some(index)),
                last: None,
            },
        };
        let unplaced = |event| TrailItem {
            index: None,
            event: OpenedLeaf::from(event),
        };
        let mut items: Vec<_> = waiting.events.into_iter().map(unplaced).collect();
        let Some(before) = waiting.placed else {
            let next = waiting.last.and_then(|last| Start::Waiting(last).cursor());
            return Ok(Page { items, next });
        };
        let look = Look {
            before,
            limit: page.limit() - items.len(),
            scan: LOOK.1,
        };
        let found = self.trail.store.entries(self.log, filter, look).await?;
        // An event that was placed between the two readings is taken once, with its place.
        let opened = self.open(&found.entries).await?;
        let placed: BTreeSet<_> = opened.iter().map(|item| item.event.id).collect();
        items.retain(|item| !placed.contains(&item.event.id));
        items.extend(opened);
        let next = found.next.and_then(|next| Start::Placed(next).cursor());
        Ok(Page { items, next })
    }

    /// What waits below an event, or from the newest on, up to a page.
    async fn waiting(
        &self,
        after: Option<EventId>,
        filter: &EntryFilter,
        limit: usize,
    ) -> Result<Waiting, TrailError> {
        let room = LOOK.0 + 1;
        let store = &self.trail.store;
        let mut found = store.waiting(self.log, after, room).await?;
        if let Some(after) = after {
            if found.is_empty() {
                // It was placed meanwhile, and with it all that is older.
                let index = store.index_of(self.log, after).await?;
                return Ok(Waiting {
                    events: Vec::new(),
                    placed: Some(Some(index.ok_or(TrailError::Cursor)?)),
                    last: None,
                });
            }
            found.remove(0);
        }
        let all = found.len() < LOOK.0;
        let mut waiting = Waiting {
            events: Vec::new(),
            placed: None,
            last: after,
        };
        for event in found {
            if waiting.events.len() == limit {
                return Ok(waiting);
            }
            waiting.last = Some(event.id);
            if filter.takes(&event) {
                waiting.events.push(event);
            }
        }
        if all && waiting.events.len() < limit {
            waiting.placed = Some(None);
        }
        Ok(waiting)
    }
}
