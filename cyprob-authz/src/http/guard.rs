//! The guard in front of every handler.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{DefaultBodyLimit, Request};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{Method, StatusCode};
use tower::{Service, ServiceExt as _};
use tracing::Instrument as _;

use super::admission::{Admitted, admit};
use super::arrival::{Failure, arriving};
use super::connection::Opening;
use super::grant::Granted;
use super::names::PathNames;
use super::outermost::{complete, stamped};
use super::policy::RoutePolicy;
use super::problem::{Problem, ProblemCode};
use super::request::{Answered, Stamp};
use super::standing::Standing;
use super::streaming::bound;
use crate::service::AccessControl;

/// What the guard knows of its route.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) access: Arc<AccessControl>,
    pub(super) policy: RoutePolicy,
    pub(super) path: Arc<str>,
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

type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

impl<T, S, H> Handler<T, S> for Guarded<H>
where
    S: Send + 'static,
    H: Handler<T, S>,
{
    type Future = Answer;

    fn call(self, request: Request, state: S) -> Answer {
        let Self { guard, inner } = self;
        Box::pin(async move {
            let handler = |request| inner.call(request, state);
            answer(&guard, request, handler).await
        })
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
        Box::pin(async move {
            let handler = |request| async move {
                let Ok(response) = inner.oneshot(request).await;
                response
            };
            Ok(answer(&guard, request, handler).await)
        })
    }
}

/// Admits or refuses, then runs the handler; what comes back is complete, and stamped as answered by a policy.
async fn answer<F>(
    guard: &Arc<Guard>,
    mut request: Request,
    handler: impl FnOnce(Request) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    // The guard bounds every body by its route's own limit.
    DefaultBodyLimit::disable().apply(&mut request);
    let stamp = stamped(&guard.access, &request);
    let head = request.method() == Method::HEAD;
    let mut response = match admitted(guard, request, stamp).await {
        Ok((request, failure, opening)) => {
            let safe = request.method().is_safe();
            // Called where its panic is caught.
            let handler = async move { handler(request).await };
            let answer = run(guard, safe, handler).await;
            match failure.get() {
                Some(problem) if !says_more(&answer, problem) => problem.clone().into_response(),
                Some(_) | None => bound(&guard.path, &opening, answer),
            }
        }
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(Answered);
    complete(response, stamp, head)
}

async fn admitted(
    guard: &Arc<Guard>,
    request: Request,
    stamp: Stamp,
) -> Result<(Request, Failure, Arc<Opening>), Problem> {
    let (mut parts, body) = request.into_parts();
    let Admitted {
        grant,
        taken,
        names,
    } = admit(guard, &mut parts, stamp, None).await?;
    guard.admits_length(&parts)?;
    // On a public route nobody looked at them, and they need not be text.
    let named = match &names {
        Some(names) => Some(names.clone()),
        None => PathNames::of(&mut parts, &guard.path).await.ok(),
    };
    let (body, failure) = arriving(guard, &parts, stamp, taken.clone(), body);
    let standing = Standing::of(guard, &grant, taken, names, &parts);
    let opening = Arc::new(Opening::new(standing, stamp.id));
    match named {
        Some(names) => drop(parts.extensions.insert(names)),
        None => drop(parts.extensions.remove::<PathNames>()),
    }
    parts.extensions.insert(Granted {
        policy: guard.policy,
        request_id: stamp.id,
        at: stamp.at,
        grant,
        opening: Arc::clone(&opening),
    });
    Ok((Request::from_parts(parts, body), failure, opening))
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

/// Runs the handler. What may change something runs in a task of its own, so that a client that hangs up does not cut a change in half.
async fn run<F>(guard: &Guard, safe: bool, handler: F) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    let handler = unpanicked(handler);
    let answer = if safe {
        handler.await
    } else {
        let running = guard.access.in_flight().begin();
        let task = async move {
            let answer = handler.await;
            drop(running);
            answer
        };
        tokio::spawn(task.in_current_span()).await.unwrap_or(None)
    };
    answer.unwrap_or_else(|| {
        tracing::error!(route = %guard.path, "a handler panicked");
        Problem::new(ProblemCode::Internal).into_response()
    })
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
