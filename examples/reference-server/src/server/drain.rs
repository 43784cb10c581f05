//! What is left of a refused request's body is read before the answer goes out.
//!
//! A client that is still sending when the connection closes sees a broken
//! pipe instead of the 413 that tells it why.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::oneshot;

/// Most bytes that are read and thrown away.
const MAX_BYTES: usize = 32 << 20;
/// Longest that is waited for them.
const PATIENCE: Duration = Duration::from_secs(5);

/// A body that gives itself back when it is dropped before its end.
#[derive(Debug)]
pub(super) struct Returning {
    body: Option<Incoming>,
    back: Option<oneshot::Sender<Incoming>>,
}

/// Where what was not read comes back.
#[derive(Debug)]
pub(super) struct Rest(oneshot::Receiver<Incoming>);

/// Splits a body into what a handler reads and what it leaves.
pub(super) fn split(body: Incoming) -> (Returning, Rest) {
    let (back, rest) = oneshot::channel();
    (
        Returning {
            body: Some(body),
            back: Some(back),
        },
        Rest(rest),
    )
}

impl Drop for Returning {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // Nobody waits for it if the connection is gone.
            let _ = back.send(body);
        }
    }
}

impl Rest {
    /// Reads what was left, within bounds; nothing if a handler still has it.
    pub(super) async fn drain(mut self) {
        let Ok(mut body) = self.0.try_recv() else {
            return;
        };
        let read = async {
            let mut left = MAX_BYTES;
            while left > 0 {
                let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
                let Some(Ok(frame)) = frame else { return };
                left = left.saturating_sub(frame.data_ref().map_or(1, |data| data.len().max(1)));
            }
        };
        // What is too much or too slow is cut off.
        let _ = tokio::time::timeout(PATIENCE, read).await;
    }
}

impl Body for Returning {
    type Data = <Incoming as Body>::Data;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
