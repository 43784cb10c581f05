//! Tokens: their text, their shape, their signatures.
//!
//! The format is Biscuit's (version 3 of its specification); no type of the
//! crate that implements it appears in this crate's public interface.

mod attenuate;
mod authority;
mod block;
mod facts;
mod holding;
mod job;
mod keys;
mod mint;
mod reader;
mod shape;
mod sign;
mod signer;
mod symbols;
mod templates;
pub(crate) mod text;
mod verify;
mod writer;

pub use attenuate::{AttenuateError, attenuate, random_uses};
pub(crate) use job::VerifiedJob;
pub use job::{JobMinter, JobVerifier};
pub use keys::LiveRing;
pub(super) use keys::is_public_key;
pub use mint::{AccessMinter, MAX_LIFETIME, MintError, ServiceMinter};
#[cfg(feature = "testkit")]
pub(crate) use shape::{MAX_LISTED, MAX_RANGES, MAX_USES};
pub use shape::{MAX_TOKEN_BYTES, ShapeError};
pub use signer::LiveSigner;
pub(super) use signer::Signers;
pub(super) use verify::CLOCK_LEEWAY;
pub use verify::{TokenError, TokenVerifier};
