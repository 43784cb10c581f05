//! The outermost layer: ids, headers, and the refusal of what no policy answered.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, Method};

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
    let stamp = stamped(&access, &request);
    request.extensions_mut().insert(stamp);
    let head = request.method() == Method::HEAD;
    complete(next.run(request).await, stamp, head)
}

/// The id and the time of a request: those that a router further out gave it, or new ones.
pub(super) fn stamped(access: &AccessControl, request: &Request) -> Stamp {
    match request.extensions().get::<Stamp>() {
        Some(stamp) => *stamp,
        None => {
            let at = access.now();
            let id = access.request_id(at);
            Stamp { id, at }
        }
    }
}

/// What the client gets: an answer that a policy gave, or a refusal, with the headers of all.
pub(super) fn complete(response: Response, stamp: Stamp, head: bool) -> Response {
    let mut response = finish(response, stamp);
    if head {
        *response.body_mut() = Body::empty();
    }
    let headers = response.headers_mut();
    headers.reserve(3);
    if let Ok(id) = HeaderValue::try_from(stamp.id.to_string()) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses what no policy answered, and turns every error into a problem with the request's id.
fn finish(mut response: Response, stamp: Stamp) -> Response {
    if response.extensions().get::<Answered>().is_none() {
        let mut refused = Problem::new(ProblemCode::Forbidden).render(Some(stamp.id));
        refused.extensions_mut().insert(Answered);
        return refused;
    }
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
    let json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/json") || kind.contains("+json"));
    (status.is_client_error() || status.is_server_error()) && !json
}
