//! The guard in front of every handler.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{Method, StatusCode};
use tower::{Service, ServiceExt as _};
use tracing::Instrument as _;

use super::admission::admit;
use super::arrival::{Failure, arriving};
use super::connection::Answering;
use super::from_memory::admit_from_memory;
use super::grant::Granted;
use super::outermost::{complete, stamped};
use super::policy::RoutePolicy;
use super::problem::{Problem, ProblemCode};
use super::streaming::bound;
use crate::service::AccessControl;

/// What the guard knows of its route.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) access: Arc<AccessControl>,
    pub(super) policy: RoutePolicy,
    pub(super) path: Arc<str>,
    /// How many names its path has.
    pub(super) names: usize,
    pub(super) body_limit: usize,
}

impl Guard {
    /// Refuses a body that says that it is longer than the route takes.
    pub(super) fn admits_length(&self, parts: &Parts) -> Result<(), Problem> {
        let long = stated_length(parts).is_some_and(|length| length > self.body_limit as u64);
        match long {
            true => Err(Problem::new(ProblemCode::TooLarge)),
            false => Ok(()),
        }
    }
}

/// A handler, or a service, with the guard before it.
#[derive(Clone, Debug)]
pub(super) struct Guarded<H> {
    guard: Arc<Guard>,
    inner: H,
}

impl<H> Guarded<H> {
    pub(super) const fn new(guard: Arc<Guard>, inner: H) -> Self {
        Self { guard, inner }
    }
}

impl<T, S, H> Handler<T, S> for Guarded<H>
where
    S: Send + 'static,
    H: Handler<T, S>,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        let Self { guard, inner } = self;
        let handler = |request| inner.call(request, state);
        Box::pin(answer(guard, request, handler))
    }
}

impl<H> Service<Request> for Guarded<H>
where
    H: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    H::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The service behind it is asked for each admitted request.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self { guard, inner } = self.clone();
        let handler = |request| async move {
            let Ok(response) = inner.oneshot(request).await;
            response
        };
        let answer = answer(guard, request, handler);
        Box::pin(async move { Ok(answer.await) })
    }
}

/// Admits or refuses, then runs the handler; what comes back is complete.
///
/// What memory admits is called at once, so that what is kept of a request
/// while its handler runs is small.
fn answer<F>(
    guard: Arc<Guard>,
    request: Request,
    handler: impl FnOnce(Request) -> F + Send + 'static,
) -> impl Future<Output = Response> + Send
where
    F: Future<Output = Response> + Send + 'static,
{
    let stamp = stamped(&guard.access, &request);
    let head = request.method() == Method::HEAD;
    let (mut parts, body) = request.into_parts();
    let begun = match admit_from_memory(&guard, &mut parts, stamp) {
        Some(granted) => Begun::Called(called(granted, parts, body, handler)),
        None => Begun::Asking(Box::pin(async move {
            let granted = admit(&guard, &mut parts, stamp, None).await?;
            guard.admits_length(&parts)?;
            Ok(called(granted, parts, body, handler))
        })),
    };
    async move {
        let called = match begun {
            Begun::Called(called) => Ok(called),
            Begun::Asking(asking) => asking.await,
        };
        let response = match called {
            Ok(called) => called.answer().await,
            Err(problem) => problem.into_response(),
        };
        complete(response, stamp, head)
    }
}

/// How far a request is that came in.
enum Begun<F> {
    Called(Called<F>),
    Asking(Pin<Box<dyn Future<Output = Result<Called<F>, Problem>> + Send>>),
}

/// A handler that was called with its request.
struct Called<F> {
    /// None, if it panicked.
    future: Option<F>,
    safe: bool,
    failure: Option<Failure>,
    answering: Answering,
}

/// Calls the handler of an admitted request.
fn called<F>(
    granted: Granted,
    mut parts: Parts,
    body: Body,
    handler: impl FnOnce(Request) -> F,
) -> Called<F> {
    let (body, failure) = arriving(&granted, &parts, body);
    parts.extensions.insert(granted.clone());
    let safe = parts.method.is_safe();
    let mut request = Request::from_parts(parts, body);
    if failure.is_some() {
        // The guard bounds every body by its route's own limit.
        DefaultBodyLimit::disable().apply(&mut request);
    }
    let future = catch_unwind(AssertUnwindSafe(|| handler(request))).ok();
    Called {
        future,
        safe,
        failure,
        answering: Answering::new(granted),
    }
}

impl<F> Called<F>
where
    F: Future<Output = Response> + Send + 'static,
{
    /// What its handler answers, or what is said in its stead.
    async fn answer(self) -> Response {
        let guard = self.answering.guard();
        let answer = match self.future {
            Some(future) => run(guard, self.safe, future).await,
            None => None,
        };
        let answer = answer.unwrap_or_else(|| {
            tracing::error!(route = %guard.path, "a handler panicked");
            Problem::new(ProblemCode::Internal).into_response()
        });
        match self.failure.as_ref().and_then(|failure| failure.get()) {
            Some(problem) if !says_more(&answer, problem) => problem.clone().into_response(),
            Some(_) | None => bound(self.answering, answer),
        }
    }
}

/// Whether the handler found the body too large itself, and perhaps says by how much.
fn says_more(answer: &Response, failure: &Problem) -> bool {
    failure.code() == ProblemCode::TooLarge && answer.status() == StatusCode::PAYLOAD_TOO_LARGE
}

fn stated_length(parts: &Parts) -> Option<u64> {
    parts
        .headers
        .get(CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Runs the handler; gives nothing if it panicked. What may change something runs in a task of its own, so that a client that hangs up does not cut a change in half.
async fn run<F>(guard: &Guard, safe: bool, future: F) -> Option<Response>
where
    F: Future<Output = Response> + Send + 'static,
{
    let answer = unpanicked(future);
    if safe {
        return answer.await;
    }
    let running = guard.access.in_flight().begin();
    let task = async move {
        let answer = answer.await;
        drop(running);
        answer
    };
    tokio::spawn(task.in_current_span()).await.unwrap_or(None)
}

/// Runs to the end, or gives nothing if it panics on the way.
async fn unpanicked<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        // the future is dropped after a panic and never polled again
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
