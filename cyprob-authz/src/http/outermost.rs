//! The outermost layer: ids, headers, and the refusal of what no policy answered.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use cyprob_core::domain::RequestId;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, Method};

use super::bodiless::bodiless;
use super::problem::{Problem, ProblemCode, of_status};
use super::request::{Answered, Stamp};
use crate::service::AccessControl;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Closes a router that a host put together from a sealed one and routes of its own.
///
/// Whatever no policy answered becomes 403. The sealed router is closed by
/// itself; this closes what was merged beside it. A raw handler still runs, so
/// it is no place for work, but nobody ever sees its answer.
pub fn closed(router: Router, access: &Arc<AccessControl>) -> Router {
    router.layer(from_fn_with_state(Arc::clone(access), outermost))
}

async fn outermost(
    State(access): State<Arc<AccessControl>>,
    mut request: Request,
    next: Next,
) -> Response {
    let stamp = Stamp {
        closed: true,
        ..stamped(&access, &request)
    };
    request.extensions_mut().insert(stamp);
    let head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    if response.extensions().get::<Answered>().is_none() {
        response = Problem::new(ProblemCode::Forbidden).into_response();
    }
    complete(response, stamp, head)
}

/// The id and the time of a request: those that a router further out gave it, or new ones.
pub(super) fn stamped(access: &AccessControl, request: &Request) -> Stamp {
    match request.extensions().get::<Stamp>() {
        Some(stamp) => *stamp,
        None => {
            let at = access.now();
            let id = access.request_id(at);
            let closed = false;
            Stamp { id, at, closed }
        }
    }
}

/// What the client gets of the answer that a policy gave: with the headers of all.
pub(super) fn complete(response: Response, stamp: Stamp, head: bool) -> Response {
    let mut response = explained(response, stamp);
    if head {
        *response.body_mut() = bodiless(&response);
    }
    if stamp.closed {
        response.extensions_mut().insert(Answered);
    }
    let headers = response.headers_mut();
    headers.reserve(3);
    if let Ok(id) = HeaderValue::try_from(text(stamp.id)) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// An id's text, in a string of its length.
fn text(id: RequestId) -> String {
    let mut text = String::with_capacity("req_".len() + 32);
    let _ = write!(text, "{id}");
    text
}

/// Turns every error into a problem with the request's id.
fn explained(mut response: Response, stamp: Stamp) -> Response {
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare_error(&response) => Problem::new(of_status(response.status())),
        None => return response,
    };
    let mut rendered = problem.render(Some(stamp.id));
    // what the handler or the framework set beside the body stays, such as `Allow`
    for (name, value) in response.headers() {
        if keeps(name, rendered.headers()) {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    *rendered.extensions_mut() = {
        let mut extensions = std::mem::take(response.extensions_mut());
        extensions.extend(std::mem::take(rendered.extensions_mut()));
        extensions
    };
    rendered
}

fn keeps(name: &HeaderName, rendered: &HeaderMap) -> bool {
    *name != CONTENT_TYPE
        && *name != http::header::CONTENT_LENGTH
        && *name != http::header::TRANSFER_ENCODING
        && !rendered.contains_key(name)
}

/// An error that is no JSON: the framework's own rejections are plain text.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let json = || {
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| kind.starts_with("application/json") || kind.contains("+json"))
    };
    (status.is_client_error() || status.is_server_error()) && !json()
}
