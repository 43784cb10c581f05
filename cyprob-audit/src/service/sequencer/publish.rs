//! Heads are signed, and files brought to where verifiers read them.

use std::collections::BTreeSet;

use super::{Sequencer, SequencerError, State};
use crate::domain::{
    Checkpoint, LogId, LogSigner, TILE_WIDTH, TileFile, TreeTail, encode_bundle, tiles_between,
};
use crate::ports::SignedHead;

/// How many leaves are read from the store at once.
const CHUNK: usize = 4096;

impl Sequencer {
    /// Signs and publishes what a log has beyond its last signed head.
    pub(super) async fn publish(
        &self,
        log: LogId,
        state: &mut State,
    ) -> Result<(), SequencerError> {
        let signer = self.signer(log)?;
        state.behind.insert(log);
        let known = state.tails.remove(&log);
        let mut tail = match known {
            Some(tail) => tail,
            None => self.recovered(log, &signer).await?,
        };
        loop {
            let leaves = self.leaves(log, tail.size(), CHUNK).await?;
            if leaves.is_empty() {
                break;
            }
            let last = leaves.len() < CHUNK;
            let files = append(log, &mut tail, &leaves)?;
            let head = Checkpoint::new(signer.verifier().name().clone(), tail.size(), tail.root())
                .signed_at(self.clock.now());
            let checkpoint = head.sign(&signer).ok_or(SequencerError::Diverged { log })?;
            let head = SignedHead {
                checkpoint: checkpoint.into_bytes(),
                edge: tail.edge().clone(),
            };
            let larger = self.store.sign(log, &head).await;
            if !larger.map_err(SequencerError::Store)? {
                return Err(SequencerError::NotAlone);
            }
            self.sink
                .publish(log, files, head.checkpoint)
                .await
                .map_err(SequencerError::Sink)?;
            if last {
                break;
            }
        }
        state.tails.insert(log, tail);
        state.behind.remove(&log);
        Ok(())
    }

    /// The end of a log as it was last signed, and its files with it.
    async fn recovered(&self, log: LogId, signer: &LogSigner) -> Result<TreeTail, SequencerError> {
        let diverged = || SequencerError::Diverged { log };
        let published = self.sink.checkpoint(log).await;
        let published = published.map_err(SequencerError::Sink)?;
        let open = |bytes: &[u8]| {
            Checkpoint::open(bytes, signer.verifier(), &[])
                .map_err(|source| SequencerError::Foreign { log, source })
        };
        let seen = match &published {
            None => 0,
            Some(bytes) => open(bytes)?.checkpoint.size(),
        };
        let signed = self.store.signed(log).await;
        let Some(signed) = signed.map_err(SequencerError::Store)? else {
            return match published {
                None => Ok(TreeTail::empty()),
                Some(_) => Err(SequencerError::RolledBack { log }),
            };
        };
        let head = open(&signed.checkpoint)?.checkpoint;
        let size = head.size();
        if seen > size {
            return Err(SequencerError::RolledBack { log });
        }
        if signed.edge.size() != size || signed.edge.root() != *head.root() {
            return Err(diverged());
        }
        if seen == size && published.as_ref() != Some(&signed.checkpoint) {
            return Err(diverged());
        }
        if seen < size || published.is_none() {
            return self.republished(log, &signed, seen).await;
        }
        let width = usize::try_from(size % TILE_WIDTH).map_err(|_| diverged())?;
        let leaves = self.leaves(log, size - size % TILE_WIDTH, width).await?;
        let bundle = encode_bundle(leaves.iter().map(Vec::as_slice)).map_err(|_| diverged())?;
        TreeTail::resume(signed.edge, bundle).map_err(|_| diverged())
    }

    /// Publishes a head that was signed and not seen, from the entries alone.
    async fn republished(
        &self,
        log: LogId,
        signed: &SignedHead,
        seen: u64,
    ) -> Result<TreeTail, SequencerError> {
        let size = signed.edge.size();
        let mut tail = TreeTail::empty();
        let mut needed: BTreeSet<_> = tiles_between(seen, size)
            .filter(|path| !path.is_full())
            .collect();
        let mut last = Vec::new();
        while tail.size() < size {
            let left = usize::try_from(size - tail.size()).unwrap_or(CHUNK);
            let leaves = self.leaves(log, tail.size(), left.min(CHUNK)).await?;
            if leaves.is_empty() {
                return Err(SequencerError::Diverged { log });
            }
            let (full, partial): (Vec<_>, Vec<_>) = append(log, &mut tail, &leaves)?
                .into_iter()
                .filter(|file| !covered(file.path, seen))
                .partition(|file| file.path.is_full());
            // A partial file of the signed size may come before the last chunk.
            last.extend(partial.into_iter().filter(|file| needed.remove(&file.path)));
            self.sink
                .stage(log, full)
                .await
                .map_err(SequencerError::Sink)?;
        }
        if tail.root() != signed.edge.root() {
            return Err(SequencerError::Diverged { log });
        }
        self.sink
            .publish(log, last, signed.checkpoint.clone())
            .await
            .map_err(SequencerError::Sink)?;
        Ok(tail)
    }

    async fn leaves(
        &self,
        log: LogId,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, SequencerError> {
        let leaves = self.store.leaves(log, first, limit).await;
        leaves.map_err(SequencerError::Store)
    }
}

/// Whether a full tile was complete in a tree of this size.
fn covered(path: crate::domain::TilePath, size: u64) -> bool {
    let level = match path.kind() {
        crate::domain::TileKind::Entries => 0,
        crate::domain::TileKind::Hashes { level } => u32::from(level),
    };
    (path.index() + 1) * TILE_WIDTH <= size >> (8 * level)
}

fn append(
    log: LogId,
    tail: &mut TreeTail,
    leaves: &[Vec<u8>],
) -> Result<Vec<TileFile>, SequencerError> {
    let leaves: Vec<&[u8]> = leaves.iter().map(Vec::as_slice).collect();
    tail.append(&leaves)
        .map_err(|_| SequencerError::Diverged { log })
}
