//! Verifying a whole log, or one entry by its proof, with nothing but the log's public key.
//!
//! Four verdicts, given apart. *Integrity*: what is there agrees with the
//! signed checkpoint. *Completeness*: every entry and tile that the checkpoint
//! covers is there, and nothing else. *Freshness*: the checkpoint was signed
//! lately. *Witnessed*: others vouch for having seen the checkpoint.
//!
//! Somebody who holds the log's signing key and all its files can rewrite it
//! and sign the result; against that, integrity says nothing. Only a
//! checkpoint kept elsewhere or a witness shows it.

mod directory;
mod extras;
mod options;
mod proof;
mod report;
#[cfg(test)]
mod tests;

pub(super) use directory::read_required;
pub use directory::verify_log;
pub use options::{Options, Progress};
pub use proof::verify_proof;
pub use report::{Judged, Reason, Reasons, Report, Verdict, VerifyError, chain};
