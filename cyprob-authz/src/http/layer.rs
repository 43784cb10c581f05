//! The policies of routes for services that are no axum handlers.
//!
//! What is behind the layer may be anything that answers requests. In front of
//! it stands the secure router itself: its paths, its checks, its refusals and
//! its records, of which there is no second edition here.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::IntoResponse as _;
use axum::routing::future::RouteFuture;
use axum::routing::{MethodRouter, on_service};
use axum::{BoxError, Router};
use http::{Extensions, Request, Response};
use tower::{Layer, Service, ServiceExt as _};

use super::grant::Granted;
use super::guard::Guarded;
use super::inventory::Inventory;
use super::policy::Policy;
use super::problem::{Problem, ProblemCode};
use super::request::Stamp;
use super::router::{Endpoint, Method};
use super::seal::{PublicRoutes, SealError, assemble, check};
use crate::service::AccessControl;

/// One route of a [`PolicyLayer`]: method, path and policy, without a handler.
#[derive(Debug)]
pub struct PolicyRoute(Endpoint<()>);

impl PolicyRoute {
    /// A route with the policy `P`. The path's names are `{name}`; `{org}` is the organization.
    #[must_use]
    pub fn new<P: Policy>(method: Method, path: &str) -> Self {
        let nothing = Box::new(|_| MethodRouter::new());
        Self(Endpoint::with_policy::<P>(method, path, nothing))
    }

    /// How many bytes the body may have; over it the answer is 413.
    #[must_use]
    pub fn body_limit(self, bytes: usize) -> Self {
        Self(self.0.body_limit(bytes))
    }

    /// Says that a GET is recorded in the trail all the same.
    #[must_use]
    pub fn audited(self) -> Self {
        Self(self.0.audited())
    }

    /// Lets a route for signed-in people name an organization that need not be the token's.
    ///
    /// The service answers for what it does with the name.
    #[must_use]
    pub fn names_any_org(self) -> Self {
        Self(self.0.names_any_org())
    }
}

/// The routes of a layer to be, each with its policy.
///
/// Routes are added, then the list is sealed: only then does it make a layer.
#[derive(Debug)]
pub struct PolicyRoutes {
    access: Arc<AccessControl>,
    routes: Vec<PolicyRoute>,
}

impl PolicyRoutes {
    /// Adds a route that asks the policy `P`.
    #[must_use]
    pub fn route<P: Policy>(self, method: Method, path: &str) -> Self {
        self.add(PolicyRoute::new::<P>(method, path))
    }

    /// Adds a route.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "it adds to the list; nobody reads it as a sum"
    )]
    pub fn add(mut self, route: PolicyRoute) -> Self {
        self.routes.push(route);
        self
    }

    /// Checks every route as [`SecureRouter::seal`](super::SecureRouter::seal) does and gives the layer, with the inventory.
    ///
    /// # Errors
    ///
    /// [`SealError`]: a service with such routes does not start.
    pub fn seal(self, public: &PublicRoutes) -> Result<(PolicyLayer, Inventory), SealError> {
        let Self { access, routes } = self;
        let endpoints: Vec<_> = routes.into_iter().map(|route| route.0).collect();
        check(&endpoints, public)?;
        let inventory = Inventory::of(&endpoints);
        let routes = endpoints.into();
        Ok((PolicyLayer { access, routes }, inventory))
    }
}

/// A [`tower::Layer`] that admits requests to any service as the [`SecureRouter`](super::SecureRouter) admits them to its handlers.
///
/// The service sees admitted requests alone, and finds the proof by
/// [`Auth::of`](super::Auth::of) and the path's names by
/// [`PathNames::of`](super::PathNames::of), both from the request's extensions.
/// Its body is bounded, and ends in an error when it came too late. What the
/// service answers is completed as a handler's answer is; an error of it is
/// logged and becomes 500.
///
/// ```
/// use std::convert::Infallible;
/// use cyprob_authz::http::{Auth, Method, Org, PolicyLayer, PublicRoutes, perm};
/// use http::{Request, Response};
/// use tower::Layer as _;
///
/// type Body = axum::body::Body;
///
/// async fn runs(request: Request<Body>) -> Result<Response<Body>, Infallible> {
///     let proof = Auth::<Org<perm::RunsRead>>::of(request.extensions());
///     Ok(match proof {
///         Ok(auth) => Response::new(Body::from(auth.org().to_string())),
///         Err(problem) => axum::response::IntoResponse::into_response(problem),
///     })
/// }
///
/// # fn of(access: std::sync::Arc<cyprob_authz::service::AccessControl>) -> Result<(), cyprob_authz::http::SealError> {
/// let (layer, _inventory) = PolicyLayer::routes(access)
///     .route::<Org<perm::RunsRead>>(Method::Get, "/orgs/{org}/runs")
///     .seal(&PublicRoutes::default())?;
/// let service = layer.layer(tower::service_fn(runs));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PolicyLayer {
    access: Arc<AccessControl>,
    routes: Arc<[Endpoint<()>]>,
}

impl PolicyLayer {
    /// An empty list of routes with the request check.
    #[must_use]
    pub const fn routes(access: Arc<AccessControl>) -> PolicyRoutes {
        PolicyRoutes {
            access,
            routes: Vec::new(),
        }
    }
}

impl fmt::Debug for PolicyLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes.iter()).finish()
    }
}

impl<S, B> Layer<S> for PolicyLayer
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Service = PolicyService;

    fn layer(&self, inner: S) -> PolicyService {
        let serving = |route: &Endpoint<()>| {
            let (filter, inner) = (route.method.filter(), Inner(inner.clone()));
            route.with_handler(Box::new(move |guard| {
                on_service(filter, Guarded::new(guard, inner))
            }))
        };
        let endpoints = self.routes.iter().map(serving).collect();
        PolicyService(assemble(&self.access, endpoints, ()))
    }
}

/// A service behind a [`PolicyLayer`]; clones share it.
#[derive(Clone)]
pub struct PolicyService(Router);

impl fmt::Debug for PolicyService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyService")
    }
}

impl<B> Service<Request<B>> for PolicyService
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Whether the service is ready is asked for each admitted request.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let before = Before(request.extensions().clone());
        request.extensions_mut().insert(before);
        self.0.call(request)
    }
}

/// The extensions with which a request came to the layer.
#[derive(Clone)]
struct Before(Extensions);

/// The service behind the layer, as the router sees it.
#[derive(Clone, Debug)]
struct Inner<S>(S);

impl<S, B> Service<Request<Body>> for Inner<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move {
            let request = handed_on(request);
            Ok(match inner.oneshot(request).await {
                Ok(response) => response.map(Body::new),
                Err(error) => {
                    let error: BoxError = error.into();
                    tracing::error!(%error, "the service behind the policies failed");
                    Problem::new(ProblemCode::Internal).into_response()
                }
            })
        })
    }
}

/// The request as it came, with what it was admitted by.
///
/// What the router left in it stays here: a router further in would take the
/// names for its own.
fn handed_on(request: Request<Body>) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    let granted = parts.extensions.remove::<Granted>();
    let stamp = parts.extensions.remove::<Stamp>();
    let before = parts.extensions.remove::<Before>();
    parts.extensions = before.map(|before| before.0).unwrap_or_default();
    match granted {
        Some(granted) => drop(parts.extensions.insert(granted)),
        // One of a layer further out is another route's.
        None => drop(parts.extensions.remove::<Granted>()),
    }
    if let Some(stamp) = stamp {
        parts.extensions.insert(stamp);
    }
    Request::from_parts(parts, body)
}
