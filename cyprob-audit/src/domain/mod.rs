//! Types and pure rules: the tree, the formats and the leaf. No I/O, no clock, no async.

mod checkpoint;
mod filter;
mod hash;
mod leaf;
mod log_file;
mod log_id;
mod merkle;
mod note;
mod proof;
mod tile;

pub use checkpoint::{Checkpoint, CheckpointError, OpenedCheckpoint, WitnessLine};
pub use filter::EntryFilter;
pub use hash::{Hash, HashError};
pub use leaf::{
    KeyOwner, Leaf, LeafError, LeafRecord, LeafValue, OpenedLeaf, Personal, SealError, SealedLeaf,
    SealedValue, SubjectKey, SubjectKeyId, SubjectKeyIdError,
};
pub use log_file::{LogFile, NotALogFile};
pub use log_id::{LogId, LogIdError, Origins};
pub use merkle::{
    ConsistencyError, InclusionError, MAX_TREE_SIZE, RightEdge, TileReader, TileSet, TreeError,
    TreeFull, consistency_tiles, inclusion_tiles, prove_consistency, prove_inclusion, root_at,
    root_tiles, verify_consistency, verify_inclusion,
};
pub use note::{
    KeyName, KeyNameError, LogSigner, Note, NoteError, SignatureKind, VerifierKey,
    VerifierKeyError, WitnessSigner,
};
pub use proof::{ProofError, TlogProof};
pub use tile::{
    BadTile, MAX_BUNDLE_BYTES, MAX_ENTRY_BYTES, TILE_WIDTH, TileFile, TileKind, TilePath,
    TilePathError, TreeTail, decode_bundle, decode_hashes, encode_bundle, encode_hashes,
    tiles_between,
};
