//! The use cases: minting and verifying tokens, revocation, the request check.

mod access;
mod asking;
mod cache;
mod connections;
mod denial;
#[cfg(feature = "verify")]
mod elsewhere;
mod in_flight;
mod key_operations;
mod key_rings;
mod objects;
mod org_roles;
mod recheck;
mod request_ids;
mod revocations;
mod role_rules;
mod strict;
mod tokens;
mod uses;

pub use access::{AccessControl, AccessParts, Rejection};
pub use cache::CacheLimits;
pub use connections::{ConnectionLimits, ConnectionSlot, Connections};
pub use denial::Denial;
#[cfg(feature = "verify")]
pub use elsewhere::{PublicVerifier, PublishedKeysError};
pub use in_flight::InFlight;
pub use key_operations::{KeyOperationError, KeyOperations};
pub use key_rings::{KeyRings, KeyRingsError};
pub use revocations::{RevocationCounts, RevocationView};
pub(crate) use tokens::VerifiedJob;
pub use tokens::{
    AccessMinter, AttenuateError, JobMinter, JobVerifier, LiveRing, LiveSigner, MAX_LIFETIME,
    MAX_TOKEN_BYTES, MintError, ServiceMinter, ShapeError, TokenError, TokenVerifier, attenuate,
    random_uses,
};
#[cfg(feature = "testkit")]
pub(crate) use tokens::{MAX_LISTED, MAX_RANGES, MAX_USES, text as token_text};
pub use uses::UseError;
