//! Bodies that take their time.
//!
//! A request is admitted when its head is there, and its body may come much
//! later: after the token was revoked, or never. So a body has a time to arrive
//! in, and when one that was waited for is complete, the request is admitted
//! again before the handler sees the end: to no fewer objects than its handler
//! was told of, or it is refused. A use that was taken of its token
//! stays taken and counts then: a handler may act before the end, so a body that
//! never comes has cost it.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use cyprob_core::domain::Scoped;
use http::request::Parts;
use http_body_util::{LengthLimitError, Limited};
use tokio::time::Sleep;

use super::admission::{admit, demand, refuse};
use super::grant::{Admission, Granted};
use super::names::Names;
use super::problem::{Problem, ProblemCode};
use super::request::Stamp;
use crate::domain::{Principal, Rule};
use crate::service::Denial;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(45);

/// Why the body came to nothing; it is the answer, whatever the handler makes of it.
pub(super) type Failure = Arc<OnceLock<Problem>>;

/// Says whether the request may still be handled.
type Again = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send>>;

/// What a handler sees of a body that did not arrive in time or in force.
#[derive(Debug, thiserror::Error)]
#[error("the request's body came too late")]
struct TooLate;

/// A body on its way, with what is asked when it is there.
struct Arriving {
    body: Limited<Body>,
    deadline: Pin<Box<Sleep>>,
    /// Whether anything was waited for.
    waited: bool,
    /// Whether all of it is there.
    ended: bool,
    again: Option<Again>,
    failure: Failure,
}

impl fmt::Debug for Arriving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Arriving")
    }
}

/// The body of an admitted request, for its handler, and what becomes of it; nothing, where there is none.
pub(super) fn arriving(granted: &Granted, parts: &Parts, body: Body) -> (Body, Option<Failure>) {
    if body.is_end_stream() {
        return (body, None);
    }
    let failure = Failure::default();
    let body = Limited::new(body, granted.terms().guard.body_limit);
    let (before, mut parts) = (granted.clone(), parts.clone());
    let again = async move {
        let terms = before.terms();
        let stamp = Stamp {
            at: terms.guard.access.now(),
            ..terms.stamp
        };
        let now = admit(&terms.guard, &mut parts, stamp, terms.taken.clone()).await?;
        match (now, before.objects()) {
            (Granted::Objects(now), Some(told)) if !now.ctx.objects().covers(told) => {
                Err(fewer(&parts, &now).await)
            }
            _ => Ok(()),
        }
    };
    let arriving = Arriving {
        body,
        deadline: Box::pin(tokio::time::sleep(PATIENCE)),
        waited: false,
        ended: false,
        again: Some(Box::pin(again)),
        failure: Arc::clone(&failure),
    };
    (Body::new(arriving), Some(failure))
}

/// Refuses one who would be admitted to less than the handler was told of.
async fn fewer(parts: &Parts, now: &Admission<Scoped, Principal>) -> Problem {
    let terms = &now.terms;
    let (guard, at) = (&terms.guard, terms.stamp.at);
    let named = terms.names.as_ref();
    let resources = named.map(Names::resources).unwrap_or_default();
    let org = named.and_then(|names| names.get("org"));
    let (caller, used) = (now.ctx.caller(), terms.taken.as_deref());
    let address = caller.origin.ip_address;
    let denial = Denial {
        principal: &now.bearer,
        caller,
        at,
        demand: &demand(guard.policy, named, &resources, address, at, used),
        rule: Rule::ConditionObject,
        method: parts.method.as_str(),
        route: &guard.path,
        permission: guard.policy.permission(),
        named_org: org,
    };
    refuse(&guard.access, &denial).await
}

impl Arriving {
    fn fail(&self, problem: Problem) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        // The first reason stays.
        let _ = self.failure.set(problem);
        Poll::Ready(Some(Err(TooLate.into())))
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        // A body that has ended is not asked again: not all of them bear it.
        if !self.ended {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(None) => self.ended = true,
                Poll::Pending => {
                    self.waited = true;
                    ready!(self.deadline.as_mut().poll(cx));
                    return self.fail(ProblemCode::RequestTimeout.into());
                }
                Poll::Ready(Some(Err(error))) if error.is::<LengthLimitError>() => {
                    let _ = self.failure.set(ProblemCode::TooLarge.into());
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(frame) => return Poll::Ready(frame),
            }
        }
        if !self.waited {
            return Poll::Ready(None);
        }
        let Some(again) = &mut self.again else {
            return Poll::Ready(None);
        };
        let admitted = ready!(again.as_mut().poll(cx));
        self.again = None;
        match admitted {
            Ok(()) => Poll::Ready(None),
            Err(problem) => self.fail(problem),
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
