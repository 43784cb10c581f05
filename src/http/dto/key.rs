//! Keys that sign tokens.

use serde::Deserialize;
use utoipa::ToSchema;

/// Which ring gets its next key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateKeyRequest {
    /// `user`, `service` or `worker`.
    pub(crate) ring: String,
}

/// Which key ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeKeyRequest {
    /// `user`, `service` or `worker`.
    pub(crate) ring: String,
    /// Its number in the ring.
    pub(crate) id: u32,
}
