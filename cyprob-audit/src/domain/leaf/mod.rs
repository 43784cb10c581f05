//! The leaf: an event in canonical JSON, its personal fields sealed.
//!
//! A leaf is for ever, so no personal value stands in it in clear: address,
//! user agent and personal metadata are sealed under a key of the person they
//! are about. Destroying that key erases the values and leaves every hash and
//! proof as it was.
//!
//! The form, version 1, is one JSON object in the canonical form of RFC 8785,
//! of strings, whole numbers and objects alone, at most 32 KiB:
//!
//! | field | value |
//! | --- | --- |
//! | `v` | `1` |
//! | `id` | the event's id, `evt_...` |
//! | `time` | RFC 3339 in UTC with six fractional digits |
//! | `org_id` | the organization, where there is one |
//! | `actor` | `kind`, and by the kind `id`, `session`, `token`, `on_behalf_of` |
//! | `action` | a name of the closed catalogue |
//! | `resource` | `type` and `id` |
//! | `outcome` | `success`, `denied` or `failure` |
//! | `reason` | a stable code, where there is one |
//! | `request_id` | where there is one |
//! | `ip_address`, `user_agent` | sealed, where there is one |
//! | `metadata` | an object: text, a number, `{"count": "digits"}` past 2^53, or sealed |
//! | `metadata_sha256` | in place of metadata that is kept aside for its size |
//!
//! A sealed value is `{"key": id, "sealed": base64}`: nonce (12 bytes),
//! ChaCha20-Poly1305 ciphertext and tag. The additional data is
//! `cyprob-audit/seal/v1`, the log's origin, the event's id and the field's
//! name, one a line.

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
