//! Registration of routes with the policies that their handlers name.

use std::fmt;
use std::sync::Arc;

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::auth::AuthFirst;
use super::guard::{Guard, Guarded};
use super::inventory::InventoryHandle;
use super::policy::sealed::Sealed;
use super::policy::{Policy, RoutePolicy};
use crate::service::AccessControl;

/// How many bytes a body may have, if the route does not say otherwise: 256 KiB.
pub const DEFAULT_BODY_LIMIT: usize = 256 << 10;

/// The methods that routes take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// GET, and HEAD with it.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Method {
    /// The method's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    pub(super) const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// Puts a guard before a handler.
pub(super) type Serving<S> = Box<dyn FnOnce(Arc<Guard>) -> MethodRouter<S> + Send + Sync>;

/// One route: method, path, handler, and the policy that the handler's first argument names.
pub struct Endpoint<S> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) policy: RoutePolicy,
    pub(super) audited: bool,
    pub(super) any_org: bool,
    pub(super) body_limit: usize,
    pub(super) serving: Serving<S>,
    #[cfg(feature = "openapi")]
    pub(super) operation: Option<super::openapi::Documented>,
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    /// A route. The path's names are `{name}`; `{org}` is the organization.
    pub fn new<H, T>(method: Method, path: &str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: AuthFirst,
    {
        let serving = move |guard| on(method.filter(), Guarded::new(guard, handler));
        Self::with_policy::<T::Policy>(method, path, Box::new(serving))
    }

    pub(super) fn with_policy<P: Policy>(method: Method, path: &str, serving: Serving<S>) -> Self {
        Self {
            method,
            path: path.to_owned(),
            policy: <P as Sealed>::POLICY,
            audited: method != Method::Get,
            any_org: false,
            body_limit: DEFAULT_BODY_LIMIT,
            serving,
            #[cfg(feature = "openapi")]
            operation: None,
        }
    }

    /// The same route with another handler.
    pub(super) fn with_handler(&self, serving: Serving<S>) -> Self {
        Self {
            method: self.method,
            path: self.path.clone(),
            policy: self.policy,
            audited: self.audited,
            any_org: self.any_org,
            body_limit: self.body_limit,
            serving,
            #[cfg(feature = "openapi")]
            operation: self.operation.clone(),
        }
    }

    fn with_state<T: Clone + Send + Sync + 'static>(self, state: S) -> Endpoint<T> {
        let serving = self.serving;
        Endpoint {
            method: self.method,
            path: self.path,
            policy: self.policy,
            audited: self.audited,
            any_org: self.any_org,
            body_limit: self.body_limit,
            serving: Box::new(move |guard| serving(guard).with_state(state)),
            #[cfg(feature = "openapi")]
            operation: self.operation,
        }
    }

    /// How many bytes the body may have; over it the answer is 413.
    #[must_use]
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Says that a GET is recorded in the trail all the same.
    #[must_use]
    pub const fn audited(mut self) -> Self {
        self.audited = true;
        self
    }

    /// Lets a route for signed-in people name an organization that need not be the token's, such as the one that a token is asked for.
    ///
    /// The handler answers for what it does with the name.
    #[must_use]
    pub const fn names_any_org(mut self) -> Self {
        self.any_org = true;
        self
    }
}

impl<S> fmt::Debug for Endpoint<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// A router whose every route has a policy.
///
/// Routes are added, then the router is sealed: only then does it serve.
pub struct SecureRouter<S = ()> {
    pub(super) access: Arc<AccessControl>,
    pub(super) state: S,
    pub(super) endpoints: Vec<Endpoint<S>>,
    pub(super) handle: Option<InventoryHandle>,
}

impl<S: Clone + Send + Sync + 'static> SecureRouter<S> {
    /// An empty router with the request check and the handlers' state.
    #[must_use]
    pub fn new(access: Arc<AccessControl>, state: S) -> Self {
        Self {
            access,
            state,
            endpoints: Vec::new(),
            handle: None,
        }
    }

    /// Where the inventory is put when the router is sealed, for a handler that shows it.
    #[must_use]
    pub fn publish_inventory(mut self, handle: InventoryHandle) -> Self {
        self.handle = Some(handle);
        self
    }

    /// Adds a route.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "it adds to the router; nobody reads it as a sum"
    )]
    pub fn add(mut self, endpoint: Endpoint<S>) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Adds every route of another router, which keeps its own state.
    ///
    /// The other's request check must be the same one; its inventory handle is dropped.
    #[must_use]
    pub fn merge<T: Clone + Send + Sync + 'static>(mut self, other: SecureRouter<T>) -> Self {
        let SecureRouter {
            state, endpoints, ..
        } = other;
        let own = |endpoint: Endpoint<T>| endpoint.with_state(state.clone());
        self.endpoints.extend(endpoints.into_iter().map(own));
        self
    }

    /// Adds a GET route.
    #[must_use]
    pub fn get<H: Handler<T, S>, T: AuthFirst>(self, path: &str, handler: H) -> Self {
        self.add(Endpoint::new(Method::Get, path, handler))
    }

    /// Adds a POST route.
    #[must_use]
    pub fn post<H: Handler<T, S>, T: AuthFirst>(self, path: &str, handler: H) -> Self {
        self.add(Endpoint::new(Method::Post, path, handler))
    }

    /// Adds a PUT route.
    #[must_use]
    pub fn put<H: Handler<T, S>, T: AuthFirst>(self, path: &str, handler: H) -> Self {
        self.add(Endpoint::new(Method::Put, path, handler))
    }

    /// Adds a PATCH route.
    #[must_use]
    pub fn patch<H: Handler<T, S>, T: AuthFirst>(self, path: &str, handler: H) -> Self {
        self.add(Endpoint::new(Method::Patch, path, handler))
    }

    /// Adds a DELETE route.
    #[must_use]
    pub fn delete<H: Handler<T, S>, T: AuthFirst>(self, path: &str, handler: H) -> Self {
        self.add(Endpoint::new(Method::Delete, path, handler))
    }
}

impl<S> fmt::Debug for SecureRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.endpoints).finish()
    }
}
