//! How a control plane knows what was revoked.

/// How it is known whether a token was revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckMode {
    /// From memory, which a feed keeps up to date; no query per request.
    ///
    /// In one process a revocation holds at once. On many nodes it holds as soon
    /// as they hear of it; a node that heard nothing for five seconds refuses
    /// everyone's token.
    #[default]
    Feed,
    /// From the store, one query per request: a revocation holds at once on every node.
    Strict,
}
