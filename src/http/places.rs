//! Places for requests with large bodies, so that nobody fills the memory with them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cyprob_core::domain::OrgId;

use super::ApiError;

/// Most large requests at once: with 8 MiB each, 256 MiB of bodies.
const ALL: usize = 32;
/// Most of one organization, so that others find a place beside it.
const OF_ONE: usize = 4;
/// When one who found no place comes back.
const RETRY: Duration = Duration::from_secs(1);

/// The places of one server. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Arc<Mutex<BTreeMap<OrgId, usize>>>);

/// A place that is taken until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    org: OrgId,
}

impl Places {
    /// Takes a place, before anything of the body is read.
    ///
    /// # Errors
    ///
    /// [`ApiError::SlowDown`] if the organization has its share, [`ApiError::Busy`] if all are taken.
    pub(crate) fn enter(&self, org: OrgId) -> Result<Place, ApiError> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= ALL {
            return Err(ApiError::Busy(RETRY));
        }
        let own = taken.entry(org).or_default();
        if *own >= OF_ONE {
            return Err(ApiError::SlowDown(RETRY));
        }
        *own += 1;
        Ok(Place {
            places: self.clone(),
            org,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.org) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.org);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cyprob_core::domain::{Id as _, Timestamp};

    use super::*;

    #[test]
    fn each_has_a_share_and_all_have_a_bound() {
        let places = Places::default();
        let org = |n| OrgId::from_random(Timestamp::UNIX_EPOCH, [n; 10]);
        let mut held: Vec<_> = (0..OF_ONE).map(|_| places.enter(org(1)).unwrap()).collect();
        assert!(matches!(places.enter(org(1)), Err(ApiError::SlowDown(_))));
        held.pop();
        held.push(places.enter(org(1)).unwrap());
        for n in 2..=8 {
            held.extend((0..OF_ONE).map(|_| places.enter(org(n)).unwrap()));
        }
        assert_eq!(held.len(), ALL);
        assert!(matches!(places.enter(org(9)), Err(ApiError::Busy(_))));
        drop(held);
        assert!(places.0.lock().unwrap().is_empty());
        places.enter(org(9)).unwrap();
    }
}
