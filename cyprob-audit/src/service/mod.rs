//! The use cases: placing events, going on where a log's files end, making proofs from them,
//! verifying a log, verifying a proof.

mod prove;
mod resume;
mod sequencer;
pub mod verify;

pub use prove::{FileTiles, FileTilesError, ProveError, prove_entry};
pub use resume::{ResumeError, resume_tail};
pub use sequencer::{Sequencer, SequencerError, Step};
