//! Answers to `HEAD`: no body, and what is said of its length as to `GET`.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::StatusCode;
use http_body::{Frame, SizeHint};

/// Nothing, in the place of a body of this length.
///
/// The length is still to be asked for: whoever writes the head takes it from
/// the body, and an empty one would make it zero (RFC 9110, 8.6).
#[derive(Debug)]
struct Bodiless(SizeHint);

impl HttpBody for Bodiless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        self.0
    }
}

/// A body that gives nothing and is as long as that of this answer.
///
/// Answers that never have one state no length either.
pub(super) fn bodiless(answer: &Response) -> Body {
    let length = match answer.status() {
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => SizeHint::default(),
        _ => answer.body().size_hint(),
    };
    Body::new(Bodiless(length))
}
