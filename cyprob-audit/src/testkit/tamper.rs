//! Everything that somebody may do to a log's files or to a proof.

use proptest::prelude::*;
use proptest::sample::Index;

use super::TestLog;
use crate::adapters::memory::MemoryLog;
use crate::domain::{
    Hash, LogFile, TILE_WIDTH, TileKind, TilePath, TlogProof, decode_bundle, encode_bundle,
    encode_hashes,
};

/// One way to change a log's files.
#[derive(Clone, Debug)]
pub enum Tamper {
    /// One bit pattern over one byte of one file.
    Flip(Index, Index, u8),
    /// A file is gone.
    Drop(Index),
    /// A file ends early.
    Truncate(Index, Index),
    /// A file goes on.
    Extend(Index, Vec<u8>),
    /// Two files changed places.
    SwapFiles(Index, Index),
    /// Two entries changed places; the leaf hashes too where told.
    SwapEntries(Index, Index, bool),
    /// An entry was taken out of its bundle, and its leaf hash where told.
    DropEntry(Index, bool),
    /// An entry was put into a bundle, and its leaf hash where told.
    AddEntry(Index, Vec<u8>, bool),
    /// An entry was changed, and its leaf hash where told.
    ChangeEntry(Index, Vec<u8>, bool),
    /// The whole log was written anew with one entry changed, under the old checkpoint.
    Forge(Index, Vec<u8>),
    /// The log goes on after its checkpoint.
    GrowUnsigned(Vec<u8>),
    /// The checkpoint is an older one of the same log.
    Rollback,
    /// The checkpoint was signed anew by another key of the same name.
    OtherKey,
    /// A file that is no part of a log was put in.
    Stranger,
}

/// Ways to change a log, each as likely as the others, flips more so.
pub fn tampers() -> impl Strategy<Value = Tamper> {
    let bytes = || proptest::collection::vec(any::<u8>(), 1..40);
    let index = any::<Index>;
    prop_oneof![
        4 => (index(), index(), 1..=255_u8).prop_map(|(f, b, x)| Tamper::Flip(f, b, x)),
        2 => index().prop_map(Tamper::Drop),
        1 => (index(), index()).prop_map(|(f, b)| Tamper::Truncate(f, b)),
        1 => (index(), bytes()).prop_map(|(f, b)| Tamper::Extend(f, b)),
        1 => (index(), index()).prop_map(|(a, b)| Tamper::SwapFiles(a, b)),
        1 => (index(), index(), any::<bool>()).prop_map(|(a, b, t)| Tamper::SwapEntries(a, b, t)),
        1 => (index(), any::<bool>()).prop_map(|(e, t)| Tamper::DropEntry(e, t)),
        1 => (index(), bytes(), any::<bool>()).prop_map(|(e, b, t)| Tamper::AddEntry(e, b, t)),
        1 => (index(), bytes(), any::<bool>()).prop_map(|(e, b, t)| Tamper::ChangeEntry(e, b, t)),
        1 => (index(), bytes()).prop_map(|(e, b)| Tamper::Forge(e, b)),
        1 => bytes().prop_map(Tamper::GrowUnsigned),
        1 => Just(Tamper::Rollback),
        1 => Just(Tamper::OtherKey),
        1 => Just(Tamper::Stranger),
    ]
}

impl Tamper {
    /// Its name, for counting.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Flip(..) => "flip",
            Self::Drop(..) => "drop file",
            Self::Truncate(..) => "truncate file",
            Self::Extend(..) => "extend file",
            Self::SwapFiles(..) => "swap files",
            Self::SwapEntries(..) => "swap entries",
            Self::DropEntry(..) => "drop entry",
            Self::AddEntry(..) => "add entry",
            Self::ChangeEntry(..) => "change entry",
            Self::Forge(..) => "forge log",
            Self::GrowUnsigned(..) => "grow unsigned",
            Self::Rollback => "roll back",
            Self::OtherKey => "other key",
            Self::Stranger => "stranger",
        }
    }

    /// Does it to the log; `older` is a checkpoint of the same log at a smaller size.
    #[must_use]
    pub fn apply(&self, log: &TestLog, entries: &[Vec<u8>], older: &[u8]) -> Option<MemoryLog> {
        let mut files = log.files.clone();
        let names: Vec<LogFile> = files.iter().map(|(file, _)| file).collect();
        match self {
            Self::Flip(file, byte, pattern) => edit(&mut files, *file.get(&names), |bytes| {
                if let Some(byte) = at(byte, bytes.len()).and_then(|at| bytes.get_mut(at)) {
                    *byte ^= pattern;
                }
            }),
            Self::Drop(file) => drop(files.remove(*file.get(&names))),
            Self::Truncate(file, byte) => edit(&mut files, *file.get(&names), |bytes| {
                bytes.truncate(at(byte, bytes.len()).unwrap_or(0));
            }),
            Self::Extend(file, more) => edit(&mut files, *file.get(&names), |bytes| {
                bytes.extend_from_slice(more);
            }),
            Self::SwapFiles(a, b) => {
                let (a, b) = (*a.get(&names), *b.get(&names));
                let (left, right) = (files.get(a)?.to_vec(), files.get(b)?.to_vec());
                files.insert(a, right);
                files.insert(b, left);
            }
            Self::SwapEntries(a, b, tiles) => {
                let mut entries = entries.to_vec();
                let (a, b) = (at(a, entries.len())?, at(b, entries.len())?);
                entries.swap(a, b);
                rewrite(&mut files, &entries, log.size(), *tiles)?;
            }
            Self::DropEntry(entry, tiles) => {
                let mut entries = entries.to_vec();
                entries.remove(at(entry, entries.len())?);
                rewrite(&mut files, &entries, log.size(), *tiles)?;
            }
            Self::AddEntry(entry, bytes, tiles) => {
                let mut entries = entries.to_vec();
                entries.insert(at(entry, entries.len())?, bytes.clone());
                rewrite(&mut files, &entries, log.size(), *tiles)?;
            }
            Self::ChangeEntry(entry, bytes, tiles) => {
                let mut entries = entries.to_vec();
                let place = at(entry, entries.len())?;
                entries.get_mut(place)?.clone_from(bytes);
                rewrite(&mut files, &entries, log.size(), *tiles)?;
            }
            Self::Forge(entry, bytes) => {
                let mut entries = entries.to_vec();
                let place = at(entry, entries.len())?;
                entries.get_mut(place)?.clone_from(bytes);
                files = copy(log, &entries, 7)?.files;
                files.insert(
                    LogFile::Checkpoint,
                    log.files.get(LogFile::Checkpoint)?.to_vec(),
                );
            }
            Self::GrowUnsigned(entry) => {
                let mut grown = copy(log, entries, 7)?;
                grown.append(std::slice::from_ref(entry), moment()).ok()?;
                files = grown.files;
                files.insert(
                    LogFile::Checkpoint,
                    log.files.get(LogFile::Checkpoint)?.to_vec(),
                );
            }
            Self::Rollback => files.insert(LogFile::Checkpoint, older.to_vec()),
            Self::OtherKey => {
                let other = copy(log, entries, 8)?;
                files.insert(
                    LogFile::Checkpoint,
                    other.files.get(LogFile::Checkpoint)?.to_vec(),
                );
            }
            Self::Stranger => files.insert_stranger("tile/0/../../passwd"),
        }
        Some(files)
    }
}

fn moment() -> cyprob_core::domain::Timestamp {
    cyprob_core::domain::Timestamp::from_seconds(1_767_229_200)
}

fn at(index: &Index, length: usize) -> Option<usize> {
    (length > 0).then(|| index.index(length))
}

fn edit(files: &mut MemoryLog, file: LogFile, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = files.get(file).unwrap_or_default().to_vec();
    change(&mut bytes);
    files.insert(file, bytes);
}

/// A log of the same name with these entries, signed by the key of this seed.
fn copy(log: &TestLog, entries: &[Vec<u8>], seed: u8) -> Option<TestLog> {
    let mut copy = TestLog::new(log.key().name().as_str(), seed).ok()?;
    copy.append(entries, moment()).ok()?;
    Some(copy)
}

/// Writes the bundles that a log of this size has from other entries, and their leaf hashes where told.
fn rewrite(files: &mut MemoryLog, entries: &[Vec<u8>], size: u64, tiles: bool) -> Option<()> {
    let bundles = size.div_ceil(TILE_WIDTH);
    for (index, mut chunk) in (0..bundles).zip(entries.chunks(256)) {
        let width = (size - index * TILE_WIDTH).min(TILE_WIDTH);
        if index + 1 == bundles {
            // What was put in stays in the last bundle.
            chunk = entries.get(usize::try_from(index * TILE_WIDTH).ok()?..)?;
        }
        let bundle = TilePath::of_width(TileKind::Entries, index, width)?;
        let bytes = encode_bundle(chunk.iter().map(Vec::as_slice)).ok()?;
        debug_assert!(decode_bundle(&bytes, u16::try_from(chunk.len()).ok()?).is_ok());
        files.insert(LogFile::Tile(bundle), bytes);
        if tiles {
            let tile = TilePath::of_width(TileKind::Hashes { level: 0 }, index, width)?;
            let hashes: Vec<Hash> = chunk.iter().map(|entry| Hash::of_leaf(entry)).collect();
            files.insert(LogFile::Tile(tile), encode_hashes(&hashes));
        }
    }
    Some(())
}

/// One way to change a proof, or what it is shown with.
#[derive(Clone, Debug)]
pub enum ProofTamper {
    /// One bit pattern over one byte.
    Flip(Index, u8),
    /// It ends early.
    Truncate(Index),
    /// It goes on.
    Extend(Vec<u8>),
    /// A hash of the path is gone.
    DropHash(Index),
    /// A hash came into the path.
    AddHash(Index, [u8; 32]),
    /// Two hashes of the path changed places.
    SwapHashes(Index, Index),
    /// It speaks of another index.
    OtherIndex(u64),
    /// It is shown with another entry of the log.
    OtherEntry(Index),
    /// It is shown with the entry, one byte changed.
    FlipEntry(Index, u8),
}

/// Ways to change a proof, each as likely as the others, flips more so.
pub fn proof_tampers() -> impl Strategy<Value = ProofTamper> {
    let index = any::<Index>;
    let other = prop_oneof![any::<u64>(), 0..600_u64];
    prop_oneof![
        4 => (index(), 1..=255_u8).prop_map(|(b, x)| ProofTamper::Flip(b, x)),
        1 => index().prop_map(ProofTamper::Truncate),
        1 => proptest::collection::vec(any::<u8>(), 1..40).prop_map(ProofTamper::Extend),
        1 => index().prop_map(ProofTamper::DropHash),
        1 => (index(), any::<[u8; 32]>()).prop_map(|(at, hash)| ProofTamper::AddHash(at, hash)),
        1 => (index(), index()).prop_map(|(a, b)| ProofTamper::SwapHashes(a, b)),
        1 => other.prop_map(ProofTamper::OtherIndex),
        1 => index().prop_map(ProofTamper::OtherEntry),
        1 => (index(), 1..=255_u8).prop_map(|(b, x)| ProofTamper::FlipEntry(b, x)),
    ]
}

impl ProofTamper {
    /// Its name, for counting.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Flip(..) => "flip",
            Self::Truncate(..) => "truncate",
            Self::Extend(..) => "extend",
            Self::DropHash(..) => "drop hash",
            Self::AddHash(..) => "add hash",
            Self::SwapHashes(..) => "swap hashes",
            Self::OtherIndex(..) => "other index",
            Self::OtherEntry(..) => "other entry",
            Self::FlipEntry(..) => "flip entry",
        }
    }

    /// The bytes of the proof and the entry, changed.
    #[must_use]
    pub fn apply(
        &self,
        proof: &TlogProof,
        entry: &[u8],
        entries: &[Vec<u8>],
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut proof = proof.clone();
        let mut entry = entry.to_vec();
        match self {
            Self::Flip(byte, pattern) => {
                let mut bytes = proof.encode();
                let place = at(byte, bytes.len())?;
                *bytes.get_mut(place)? ^= pattern;
                return Some((bytes, entry));
            }
            Self::Truncate(byte) => {
                let mut bytes = proof.encode();
                bytes.truncate(at(byte, bytes.len())?);
                return Some((bytes, entry));
            }
            Self::Extend(more) => proof.checkpoint.extend_from_slice(more),
            Self::DropHash(hash) => drop(proof.path.remove(at(hash, proof.path.len())?)),
            Self::AddHash(place, hash) => {
                let place = at(place, proof.path.len() + 1)?;
                proof.path.insert(place, Hash::from_bytes(*hash));
            }
            Self::SwapHashes(a, b) => {
                let length = proof.path.len();
                proof.path.swap(at(a, length)?, at(b, length)?);
            }
            Self::OtherIndex(index) => proof.index = *index,
            Self::OtherEntry(other) => entry.clone_from(other.get(entries)),
            Self::FlipEntry(byte, pattern) => {
                let place = at(byte, entry.len())?;
                *entry.get_mut(place)? ^= pattern;
            }
        }
        Some((proof.encode(), entry))
    }
}
