//! Answers that stay open: they end when what admitted their request does.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http_body::Frame;

use super::connection::{Answering, Connection, Ended};
use super::problem::{Problem, ProblemCode};

/// Binds an answer that stays open to its token.
///
/// Event streams are connections, and so is whatever its handler took the
/// connection for. An upgrade that nobody would end is refused.
pub(super) fn bound(answering: Answering, response: Response) -> Response {
    let opened = answering.answered();
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        if opened.is_some_and(|connection| connection.is_held()) {
            return response;
        }
        tracing::error!(
            route = %answering.guard().path,
            "an upgrade was refused: its handler must hold what `Auth::connection` gives, and end with it"
        );
        return Problem::new(ProblemCode::Internal).into_response();
    }
    let connection = match opened {
        Some(connection) => connection,
        None if is_event_stream(&response) => match answering.open() {
            Ok(connection) => connection,
            Err(problem) => return problem.into_response(),
        },
        None => return response,
    };
    response.map(|body| Body::new(Bound::new(body, connection)))
}

fn is_event_stream(response: &Response) -> bool {
    const KIND: &[u8] = b"text/event-stream";
    let kind = response.headers().get(CONTENT_TYPE);
    kind.map(|kind| kind.as_bytes().trim_ascii_start())
        .and_then(|kind| kind.split_at_checked(KIND.len()))
        .is_some_and(|(kind, more)| {
            let more = more.trim_ascii_start();
            kind.eq_ignore_ascii_case(KIND) && matches!(more.first(), None | Some(b';'))
        })
}

type Over = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// A body that ends with its connection; what comes to an end gives the place back.
struct Bound(Option<(Body, Over)>);

impl Bound {
    fn new(body: Body, connection: Connection) -> Self {
        let over = Box::pin(async move { connection.ended().await });
        Self(Some((body, over)))
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bound")
    }
}

impl HttpBody for Bound {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some((body, over)) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let frame = match over.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => Pin::new(body).poll_frame(cx),
        };
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|(body, _)| body.is_end_stream())
    }
}
