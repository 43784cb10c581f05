//! Proofs that stand alone (C2SP tlog-proof).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::log_file::decimal;
use super::note::{Note, VerifierKey};
use super::{
    Checkpoint, CheckpointError, Hash, InclusionError, OpenedCheckpoint, verify_inclusion,
};

/// Why a proof is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// It is longer than a proof may be.
    #[error("the proof is longer than a proof may be")]
    TooLong,
    /// A line is not as it must be.
    #[error("line {number} of the proof is malformed")]
    Line {
        /// Counted from one.
        number: usize,
    },
    /// The checkpoint inside is not the log's.
    #[error("the checkpoint of the proof is not the log's")]
    Checkpoint(#[source] CheckpointError),
    /// The entry does not stand at that index under that root.
    #[error("the entry is not at the proof's index of the log")]
    Inclusion(#[source] InclusionError),
}

/// The proof that an entry stands at an index of a log, with the log's checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// The entry's index.
    pub index: u64,
    /// The hashes from the leaf's sibling up to the root's child.
    pub path: Vec<Hash>,
    /// Data that no signature covers; ours carry none.
    pub extra: Option<Vec<u8>>,
    /// The signed checkpoint, as it was published.
    pub checkpoint: Vec<u8>,
}

impl TlogProof {
    /// The first line.
    const HEADER: &'static str = "c2sp.org/tlog-proof@v1";
    /// No tree of a size that we take has a longer path.
    const MAX_PATH: usize = 63;
    /// The longest extra data that is read, as base64.
    const MAX_EXTRA: usize = 64 * 1024;
    /// The longest proof that is read, in bytes.
    pub const MAX_BYTES: usize = Note::MAX_BYTES + Self::MAX_EXTRA + 64 * 45 + 256;

    /// The text of the proof.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut text = format!("{}\n", Self::HEADER);
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", STANDARD.encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.path {
            text.push_str(&format!("{hash}\n"));
        }
        text.push('\n');
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.checkpoint);
        bytes
    }

    /// Reads a proof; what the checkpoint says is judged by [`TlogProof::verify`].
    ///
    /// # Errors
    ///
    /// [`ProofError::TooLong`] or [`ProofError::Line`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(ProofError::TooLong);
        }
        let mut lines = Lines {
            rest: bytes,
            number: 0,
        };
        if lines.next()? != Self::HEADER {
            return Err(lines.bad());
        }
        let mut line = lines.next()?;
        let mut extra = None;
        if let Some(data) = line.strip_prefix("extra ") {
            let data = STANDARD.decode(data).map_err(|_| lines.bad())?;
            extra = Some(data).filter(|data| data.len() <= Self::MAX_EXTRA);
            if extra.as_ref().is_none_or(Vec::is_empty) {
                return Err(lines.bad());
            }
            line = lines.next()?;
        }
        let index = line.strip_prefix("index ").and_then(decimal);
        let index = index.ok_or_else(|| lines.bad())?;
        let mut path = Vec::new();
        loop {
            let line = lines.next()?;
            if line.is_empty() {
                break;
            }
            if path.len() == Self::MAX_PATH {
                return Err(lines.bad());
            }
            path.push(Hash::from_base64(line).map_err(|_| lines.bad())?);
        }
        Ok(Self {
            index,
            path,
            extra,
            checkpoint: lines.rest.to_vec(),
        })
    }

    /// Checks that the log of this key holds this entry at this index.
    ///
    /// # Errors
    ///
    /// [`ProofError::Checkpoint`] or [`ProofError::Inclusion`].
    pub fn verify(
        &self,
        entry: &[u8],
        log: &VerifierKey,
        witnesses: &[VerifierKey],
    ) -> Result<OpenedCheckpoint, ProofError> {
        let opened =
            Checkpoint::open(&self.checkpoint, log, witnesses).map_err(ProofError::Checkpoint)?;
        let head = &opened.checkpoint;
        let leaf = Hash::of_leaf(entry);
        verify_inclusion(&self.path, self.index, head.size(), &leaf, head.root())
            .map_err(ProofError::Inclusion)?;
        Ok(opened)
    }
}

/// Takes one line after the other off the front.
struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<&'a str, ProofError> {
        self.number += 1;
        let end = self.rest.iter().position(|b| *b == b'\n');
        let (line, rest) = end
            .and_then(|end| self.rest.split_at_checked(end))
            .ok_or_else(|| self.bad())?;
        self.rest = rest.get(1..).unwrap_or_default();
        std::str::from_utf8(line).map_err(|_| self.bad())
    }

    const fn bad(&self) -> ProofError {
        ProofError::Line {
            number: self.number,
        }
    }
}

#[cfg(test)]
mod tests;
