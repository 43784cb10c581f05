//! The leaf: an event in canonical JSON, its personal fields sealed.
//!
//! A leaf is for ever, so no personal value stands in it in clear: address,
//! user agent and personal metadata are sealed under a key of the person they
//! are about. Destroying that key erases the values and leaves every hash and
//! proof as it was.

mod canonical;
mod decode;
mod encode;
mod key;
mod record;
mod seal;
#[cfg(test)]
mod tests;

pub use decode::LeafError;
pub use encode::{SealError, SealedLeaf};
pub use key::{KeyOwner, SubjectKey, SubjectKeyId, SubjectKeyIdError};
pub use record::{Leaf, LeafRecord, LeafValue, OpenedLeaf, Personal};
pub use seal::SealedValue;

/// The version of the leaf's form, its field `v`.
const VERSION: i64 = 1;
