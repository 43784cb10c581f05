//! The use cases: placing events, going on where a log's files end, making proofs from them,
//! verifying a log, verifying a proof.

mod prove;
mod pump;
mod record;
mod resume;
mod sequencer;
mod trail;
pub mod verify;

pub use prove::{FileTiles, FileTilesError, ProveError, prove_entry};
pub use pump::{PumpError, SinkPump};
pub use record::TrailRecord;
pub use resume::{ResumeError, resume_tail};
pub use sequencer::{Sequencer, SequencerError, Step};
pub use trail::{AuditTrail, TrailError, TrailItem, TrailView};
