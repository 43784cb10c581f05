//! A log as lines of JSON, read page by page while they go out.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cyprob_audit::service::{TrailItem, TrailRecord};
use cyprob_core::domain::OrgCtx;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use tokio::sync::mpsc;

use super::{ApiError, ApiState};
use crate::error_chain;

/// Entries read at once.
const PAGE: usize = 256;

/// The body whose frames come out of a channel; a broken end breaks the connection.
struct Frames(mpsc::Receiver<Result<Bytes, Broken>>);

/// The export could not be finished.
#[derive(Debug, thiserror::Error)]
#[error("the export could not be finished")]
pub(crate) struct Broken;

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Broken>>> {
        self.0
            .poll_recv(cx)
            .map(|next| next.map(|page| page.map(http_body::Frame::data)))
    }
}

/// What is placed now, the oldest first, one item a line. At most three pages are in memory.
///
/// # Errors
///
/// [`ApiError`] if the first page cannot be read; a later failure cuts the body short.
pub(crate) async fn lines(api: ApiState, org: OrgCtx) -> Result<BoxBody<Bytes, Broken>, ApiError> {
    let end = api.trail().of_org(&org).size().await?;
    let (send, frames) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut next = 0;
        while next < end {
            let page = usize::try_from(end - next).unwrap_or(PAGE).min(PAGE);
            let read = api.trail().of_org(&org).from(next, page).await;
            let frame = match read {
                Ok(items) if !items.is_empty() => {
                    next += u64::try_from(items.len()).unwrap_or(u64::MAX);
                    text(items)
                }
                Ok(_) => Err(Broken),
                Err(error) => {
                    tracing::error!(chain = %error_chain(&error), "an export was cut short");
                    Err(Broken)
                }
            };
            let last = frame.is_err();
            // The client is gone, or has been told.
            if send.send(frame).await.is_err() || last {
                return;
            }
        }
    });
    Ok(Frames(frames).boxed())
}

fn text(items: Vec<TrailItem>) -> Result<Bytes, Broken> {
    let mut lines = Vec::new();
    for item in items {
        serde_json::to_writer(&mut lines, &TrailRecord::of(item)).map_err(|_| Broken)?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}
