//! What is known of every request before its route is.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use cyprob_core::domain::audit::RequestOrigin;
use cyprob_core::domain::{RequestId, Timestamp};
use http::header::USER_AGENT;
use http::request::Parts;

/// How many bytes of a user agent are kept.
const MAX_USER_AGENT: usize = 256;

/// The client's address, put into a request's extensions by a host that stands behind a proxy of its own.
///
/// Without it the peer's address counts. Headers such as `X-Forwarded-For`
/// are never read: whoever connects can write them.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// The request's id and time, stamped by the outermost layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub(super) id: RequestId,
    pub(super) at: Timestamp,
    /// Whether the outermost layer is there, and looks whether a policy answered.
    pub(super) closed: bool,
}

/// Says that a policy answered; only this crate can make one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered;

pub(super) fn origin(parts: &Parts) -> RequestOrigin {
    RequestOrigin {
        ip_address: address(parts),
        user_agent: user_agent(parts),
    }
}

fn address(parts: &Parts) -> Option<IpAddr> {
    let stated = parts.extensions.get::<ClientAddress>().map(|a| a.0);
    let peer = || {
        parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|peer| peer.0.ip())
    };
    stated.or_else(peer).map(|address| address.to_canonical())
}

fn user_agent(parts: &Parts) -> Option<String> {
    let mut text = parts.headers.get(USER_AGENT)?.to_str().ok()?.to_owned();
    // INVARIANT: `to_str` gives ASCII only, so every byte is a boundary
    text.truncate(MAX_USER_AGENT);
    Some(text)
}
