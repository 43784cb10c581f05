//! The use cases: minting and verifying tokens, revocation, the request check.

mod access;
mod cache;
mod connections;
#[cfg(feature = "verify")]
mod elsewhere;
mod in_flight;
mod org_roles;
mod recheck;
mod revocations;
mod role_rules;
mod strict;
mod tokens;
mod uses;

pub use access::{AccessControl, AccessParts, Denial, Rejection};
pub use cache::CacheLimits;
pub use connections::{ConnectionLimits, ConnectionSlot, Connections};
#[cfg(feature = "verify")]
pub use elsewhere::{PublicVerifier, PublishedKeysError};
pub use in_flight::InFlight;
pub use revocations::{RevocationCounts, RevocationView};
pub use tokens::{
    AccessMinter, AttenuateError, JobMinter, JobVerifier, LiveRing, MAX_LIFETIME, MAX_TOKEN_BYTES,
    MintError, ServiceMinter, ShapeError, SigningKey, TokenError, TokenVerifier, attenuate,
    random_uses,
};
#[cfg(feature = "testkit")]
pub(crate) use tokens::{MAX_LISTED, MAX_RANGES, MAX_USES, text as token_text};
pub use uses::UseError;
