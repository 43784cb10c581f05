//! The use cases: making proofs from a log's files, verifying a log, verifying a proof.

mod prove;
pub mod verify;

pub use prove::{FileTiles, FileTilesError, ProveError, prove_entry};
