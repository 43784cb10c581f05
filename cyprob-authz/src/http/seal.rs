//! Sealing: the checks without which a router does not serve.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;

use super::guard::Guard;
use super::inventory::Inventory;
use super::outermost::{complete, stamped};
use super::paths::{Segment, clash, segments};
use super::policy::RoutePolicy;
use super::problem::ProblemCode;
use super::router::{Endpoint, SecureRouter};
use crate::service::AccessControl;

/// The router is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// There is no route.
    #[error("no routes")]
    Empty,
    /// A public route is not on the list of public routes.
    #[error("{0} is public and not on the list of public routes")]
    NotListed(String),
    /// The list has an entry that is no public route.
    #[error("{0} is on the list of public routes and is no public route")]
    Stale(String),
    /// A line of the list is not a method and a path.
    #[error("not a method and a path: {0}")]
    Line(String),
    /// A route for members has no `{org}` in its path.
    #[error("{0} is for members and has no {{org}}")]
    NoOrg(String),
    /// A route that is not for members has `{org}` in its path.
    #[error("{0} has {{org}} and is not for members")]
    StrayOrg(String),
    /// A route for workers has no `{run}` in its path.
    #[error("{0} is for workers and has no {{run}}")]
    NoRun(String),
    /// One method and path is registered twice.
    #[error("{0} is registered twice")]
    Duplicate(String),
    /// The path is not written as paths are.
    #[error("not a path: {0}")]
    Path(String),
    /// Two paths name one place differently.
    #[error("{0} and {1} name one place differently")]
    Clash(String, String),
}

/// The list of public routes: a committed file that only shrinks without a review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicRoutes(BTreeSet<String>);

impl PublicRoutes {
    /// Reads lines such as `GET /healthz`; blank lines and those that begin with `#` do not count.
    ///
    /// # Errors
    ///
    /// [`SealError::Line`] or, for a repeated line, [`SealError::Duplicate`].
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let mut all = BTreeSet::new();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let well_formed = line.split_once(' ').is_some_and(|(method, path)| {
                ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) && path.starts_with('/')
            });
            if !well_formed {
                return Err(SealError::Line(line.to_owned()));
            }
            if !all.insert(line.to_owned()) {
                return Err(SealError::Duplicate(line.to_owned()));
            }
        }
        Ok(Self(all))
    }
}

impl<S: Clone + Send + Sync + 'static> SecureRouter<S> {
    /// Checks every registration and gives the router that serves them, with the inventory.
    ///
    /// # Errors
    ///
    /// [`SealError`]: a control plane with such a router does not start.
    pub fn seal(self, public: &PublicRoutes) -> Result<(Router, Inventory), SealError> {
        check(&self.endpoints, public)?;
        let inventory = Inventory::of(&self.endpoints);
        let router = assemble(&self.access, self.endpoints, self.state);
        if let Some(handle) = self.handle {
            handle.publish(inventory.clone());
        }
        Ok((router, inventory))
    }
}

/// Puts the guard before every handler and closes the router around them.
pub(super) fn assemble<S: Clone + Send + Sync + 'static>(
    access: &Arc<AccessControl>,
    endpoints: Vec<Endpoint<S>>,
    state: S,
) -> Router {
    let mut by_path: BTreeMap<String, MethodRouter<S>> = BTreeMap::new();
    for endpoint in endpoints {
        let guarding = Arc::new(Guard {
            access: Arc::clone(access),
            policy: endpoint.policy,
            path: endpoint.path.as_str().into(),
            // a sealed path has one brace a name
            names: endpoint.path.matches('{').count(),
            body_limit: endpoint.body_limit,
        });
        let guarded = (endpoint.serving)(guarding);
        let slot = by_path.remove(&endpoint.path).unwrap_or_default();
        by_path.insert(endpoint.path, slot.merge(guarded));
    }
    let mut router = Router::new();
    for (path, methods) in by_path {
        router = serve(router, &path, methods);
    }
    let nowhere = |code| {
        let access = Arc::clone(access);
        async move |request: Request| nowhere(&access, code, &request)
    };
    router
        .fallback(nowhere(ProblemCode::NotFound))
        .method_not_allowed_fallback(nowhere(ProblemCode::MethodNotAllowed))
        .with_state(state)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a route is given to the framework, with its guard"
)]
fn serve<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    path: &str,
    methods: MethodRouter<S>,
) -> Router<S> {
    router.route(path, methods)
}

/// The answer to what no route takes.
fn nowhere(access: &AccessControl, code: ProblemCode, request: &Request) -> Response {
    let stamp = stamped(access, request);
    let head = request.method() == http::Method::HEAD;
    complete(code.into_response(), stamp, head)
}

pub(super) fn check<S>(endpoints: &[Endpoint<S>], public: &PublicRoutes) -> Result<(), SealError> {
    if endpoints.is_empty() {
        return Err(SealError::Empty);
    }
    let mut seen = BTreeSet::new();
    let mut listed = BTreeSet::new();
    let mut paths: Vec<(&str, Vec<Segment<'_>>)> = Vec::new();
    for endpoint in endpoints {
        let route = format!("{} {}", endpoint.method.as_str(), endpoint.path);
        let segments = segments(&endpoint.path)?;
        for (other, known) in &paths {
            if clash(&segments, known) {
                return Err(SealError::Clash(endpoint.path.clone(), (*other).to_owned()));
            }
        }
        let has_org = segments.contains(&Segment::Name("org"));
        match endpoint.policy {
            RoutePolicy::Org { .. } | RoutePolicy::Objects { .. } if !has_org => {
                return Err(SealError::NoOrg(route));
            }
            RoutePolicy::Org { .. } | RoutePolicy::Objects { .. } => {}
            RoutePolicy::Authenticated { .. } if endpoint.any_org => {}
            _ if has_org => return Err(SealError::StrayOrg(route)),
            RoutePolicy::Worker if !segments.contains(&Segment::Name("run")) => {
                return Err(SealError::NoRun(route));
            }
            RoutePolicy::Public if !public.0.contains(&route) => {
                return Err(SealError::NotListed(route));
            }
            _ => {}
        }
        if endpoint.policy == RoutePolicy::Public {
            listed.insert(route.clone());
        }
        paths.push((&endpoint.path, segments));
        if !seen.insert(route.clone()) {
            return Err(SealError::Duplicate(route));
        }
    }
    match public.0.difference(&listed).next() {
        Some(stale) => Err(SealError::Stale(stale.clone())),
        None => Ok(()),
    }
}
