//! Signed notes (C2SP signed-note): text with signature lines, and the keys that make them.

mod cosign;
mod key;
mod name;
mod parse;
mod sign;
#[cfg(test)]
mod tests;

pub use key::{SignatureKind, VerifierKey, VerifierKeyError};
pub use name::{KeyName, KeyNameError};
pub use parse::{Note, NoteError};
pub use sign::{LogSigner, WitnessSigner};
