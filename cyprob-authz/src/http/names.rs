//! The names in a request's path.

use std::fmt;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::extract::{FromRequestParts, RawPathParams};
use http::Extensions;
use http::request::Parts;

use super::grant::Granted;
use super::problem::{Problem, ProblemCode};

/// What the path says under each `{name}` of its route, decoded, as the policy was checked with it.
///
/// A handler takes it as an argument after its [`Auth`](super::Auth): whoever
/// reads the path once more might read it otherwise. Where the sealed router or
/// the layer is nested at a path that has names itself, those are none of the
/// route's and not in here, though the framework's own extractors give them too.
pub struct PathNames(Granted);

/// Only the names: the admission says much more.
impl fmt::Debug for PathNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.terms().names.as_ref();
        f.debug_map()
            .entries(names.into_iter().flat_map(Names::own))
            .finish()
    }
}

impl PathNames {
    /// Those of a request that was admitted, out of its extensions.
    ///
    /// Nothing without a guard in front, and where the route is public and a
    /// name in its path is no text.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<Self> {
        let granted = extensions.get::<Granted>()?;
        granted.terms().names.as_ref()?;
        Some(Self(granted.clone()))
    }

    /// What stands at the place of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.terms().names.as_ref()?.get(name)
    }
}

/// Refuses with `not_found` where there are none.
impl<S: Send + Sync> FromRequestParts<S> for PathNames {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.extensions).ok_or_else(|| Problem::new(ProblemCode::NotFound))
    }
}

/// The names, as the guard reads them.
#[derive(Debug)]
pub(super) struct Names {
    all: RawPathParams,
    /// How many are of routers further out.
    outer: usize,
}

impl Names {
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
        Ok(Self { all, outer })
    }

    /// What stands at the place of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
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
