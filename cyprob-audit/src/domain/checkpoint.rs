//! Checkpoints: signed tree heads (C2SP tlog-checkpoint).

use cyprob_core::domain::Timestamp;

use super::note::{KeyName, LogSigner, Note, NoteError, SignatureKind, VerifierKey};
use super::{Hash, MAX_TREE_SIZE};

/// Why a checkpoint is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note is malformed or not signed by the log's key.
    #[error("the checkpoint is no note signed by the log's key")]
    Note(#[source] NoteError),
    /// The text is not an origin, a size, a root and extension lines.
    #[error("the text of the checkpoint is malformed")]
    Text,
    /// The origin is another log's.
    #[error("the checkpoint is of another log")]
    Origin,
    /// The key given for the log is a witness's.
    #[error("the key is not of the kind that signs checkpoints")]
    KeyKind,
}

/// A tree head: which log, how many leaves, which root, and when it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: KeyName,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// The most extension lines that are read.
    const MAX_EXTENSIONS: usize = 16;

    /// A tree head without extension lines.
    #[must_use]
    pub const fn new(origin: KeyName, size: u64, root: Hash) -> Self {
        Self {
            origin,
            size,
            root,
            extensions: Vec::new(),
        }
    }

    /// Says when it is signed, in whole seconds, by the extension line `time SECONDS`.
    ///
    /// The signature covers the line, so that a verifier who asks for
    /// freshness needs no other source; other verifiers skip it. Times before
    /// 1970 are taken as 1970.
    #[must_use]
    pub fn signed_at(mut self, at: Timestamp) -> Self {
        self.extensions.retain(|line| !line.starts_with("time "));
        self.extensions
            .insert(0, format!("time {}", at.as_seconds().max(0)));
        self
    }

    /// The log.
    #[must_use]
    pub const fn origin(&self) -> &KeyName {
        &self.origin
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    #[must_use]
    pub const fn root(&self) -> &Hash {
        &self.root
    }

    /// When the log says that it signed it; `None` if it does not say.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        let seconds = self
            .extensions
            .iter()
            .find_map(|line| line.strip_prefix("time "))?;
        let seconds = i64::try_from(super::log_file::decimal(seconds)?).ok()?;
        Some(Timestamp::from_seconds(seconds))
    }

    /// The note's text: what is signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, self.root);
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The signed checkpoint, as it is published; `None` if the signer is of another log.
    #[must_use]
    pub fn sign(&self, signer: &LogSigner) -> Option<String> {
        (*signer.verifier().name() == self.origin).then(|| signer.sign(&self.to_text()))
    }

    /// Reads the text of a checkpoint.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Text`] for whatever is not of the exact form.
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let bad = CheckpointError::Text;
        let mut lines = text.strip_suffix('\n').ok_or(bad)?.split('\n');
        let origin = lines.next().and_then(|line| line.parse().ok()).ok_or(bad)?;
        let size = lines.next().and_then(super::log_file::decimal).ok_or(bad)?;
        let root = lines.next().ok_or(bad)?;
        let root = Hash::from_base64(root).map_err(|_| bad)?;
        let extensions: Vec<String> = lines
            .take(Self::MAX_EXTENSIONS + 1)
            .map(str::to_owned)
            .collect();
        let many = extensions.len() > Self::MAX_EXTENSIONS;
        let times = extensions.iter().filter(|line| line.starts_with("time "));
        if size > MAX_TREE_SIZE
            || many
            || times.count() > 1
            || extensions.iter().any(String::is_empty)
            || (size == 0) != (root == Hash::of_empty_tree())
        {
            return Err(bad);
        }
        Ok(Self {
            origin,
            size,
            root,
            extensions,
        })
    }

    /// Reads a signed checkpoint and checks that this key signed it for the log of the key's name.
    ///
    /// What each of the witnesses says is judged apart, so that a missing
    /// cosignature and a forged head are told apart.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] if the log's key does not vouch for it.
    pub fn open(
        bytes: &[u8],
        log: &VerifierKey,
        witnesses: &[VerifierKey],
    ) -> Result<OpenedCheckpoint, CheckpointError> {
        if log.kind() != SignatureKind::Note {
            return Err(CheckpointError::KeyKind);
        }
        let note = Note::parse(bytes).map_err(CheckpointError::Note)?;
        let checkpoint = Self::parse_text(note.open(log).map_err(CheckpointError::Note)?)?;
        if checkpoint.origin != *log.name() {
            return Err(CheckpointError::Origin);
        }
        let witnesses = witnesses
            .iter()
            .map(|witness| WitnessLine {
                name: witness.name().clone(),
                seen: note.cosigned_at(witness),
            })
            .collect();
        Ok(OpenedCheckpoint {
            checkpoint,
            witnesses,
        })
    }
}

/// A checkpoint for which the log's key vouches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedCheckpoint {
    /// The tree head.
    pub checkpoint: Checkpoint,
    /// What each witness asked for says, in the order in which they were given.
    pub witnesses: Vec<WitnessLine>,
}

/// What one witness says of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessLine {
    /// The witness.
    pub name: KeyName,
    /// When it saw the checkpoint, or why its word does not count.
    pub seen: Result<Timestamp, NoteError>,
}

#[cfg(test)]
mod tests;
