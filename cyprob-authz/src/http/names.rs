//! The names in a request's path.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use super::problem::{Problem, ProblemCode};

/// What the path says under each `{name}` of its route, decoded, as the policy was checked with it.
///
/// It is in the extensions of every request that was admitted: whoever reads
/// the path once more might read it otherwise. Where the sealed router or the
/// layer is nested at a path that has names itself, those are none of the
/// route's and not in here, though the framework's own extractors give them too.
#[derive(Clone, Debug)]
pub struct PathNames {
    all: Arc<RawPathParams>,
    /// How many are of routers further out.
    outer: usize,
}

impl PathNames {
    /// Those of a request to a route of so many names.
    pub(super) fn of(parts: &mut Parts, own: usize) -> Result<Self, Problem> {
        let lost = || Problem::new(ProblemCode::NotFound);
        let reading = pin!(RawPathParams::from_request_parts(parts, &()));
        // The framework has them in memory already and waits for nothing.
        let Poll::Ready(Ok(all)) = reading.poll(&mut Context::from_waker(Waker::noop())) else {
            return Err(lost());
        };
        // INVARIANT: each router adds its names at the end
        let outer = all.iter().count().checked_sub(own).ok_or_else(lost)?;
        let all = Arc::new(all);
        Ok(Self { all, outer })
    }

    /// What stands at the place of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut own = self.own();
        own.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// What is named beside the organization.
    pub(super) fn resources(&self) -> Vec<&str> {
        let beside = self.own().filter(|(key, _)| *key != "org");
        beside.map(|(_, value)| value).collect()
    }

    fn own(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all.iter().skip(self.outer)
    }
}
