//! Building whole logs, in memory or on disk.

use std::error::Error;
use std::io;
use std::path::Path;

use cyprob_core::domain::Timestamp;
use secrecy::SecretBox;

use crate::adapters::memory::MemoryLog;
use crate::domain::{
    Checkpoint, KeyName, LogFile, LogSigner, TileFile, TlogProof, TreeTail, VerifierKey,
};
use crate::service::prove_entry;

/// A log that is signed by a fixed key, with all its files in memory.
#[derive(Debug)]
pub struct TestLog {
    origin: KeyName,
    signer: LogSigner,
    tail: TreeTail,
    /// The files, as a directory would hold them; old partial ones stay.
    pub files: MemoryLog,
}

impl TestLog {
    /// An empty log of this origin, not yet published; the seed makes its key.
    ///
    /// # Errors
    ///
    /// If the origin is no key name.
    pub fn new(origin: &str, seed: u8) -> Result<Self, Box<dyn Error>> {
        let origin: KeyName = origin.parse()?;
        let seed = SecretBox::new(Box::new([seed; 32]));
        Ok(Self {
            signer: LogSigner::from_seed(origin.clone(), &seed),
            origin,
            tail: TreeTail::empty(),
            files: MemoryLog::default(),
        })
    }

    /// A log of `count` sealed events, published at each of a few sizes, signed one hour after 2026 began.
    ///
    /// # Errors
    ///
    /// If the origin is no key name.
    pub fn of_events(origin: &str, count: u64) -> Result<Self, Box<dyn Error>> {
        let mut log = Self::new(origin, 7)?;
        let leaves = super::sealed_leaves(&log.origin, count)?;
        let at = Timestamp::from_seconds(1_767_229_200);
        for batch in leaves.chunks(100) {
            log.append(batch, at)?;
        }
        if leaves.is_empty() {
            log.append(&[], at)?;
        }
        Ok(log)
    }

    /// The log's key.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        self.signer.verifier()
    }

    /// The number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.tail.size()
    }

    /// The tree head as it stands, not signed.
    #[must_use]
    pub fn head(&self, at: Timestamp) -> Checkpoint {
        Checkpoint::new(self.origin.clone(), self.tail.size(), self.tail.root()).signed_at(at)
    }

    /// Appends entries and publishes; gives the files that were new.
    ///
    /// # Errors
    ///
    /// If an entry is too long.
    pub fn append(
        &mut self,
        entries: &[Vec<u8>],
        at: Timestamp,
    ) -> Result<Vec<TileFile>, Box<dyn Error>> {
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let new = self.tail.append(&entries)?;
        for file in &new {
            self.files
                .insert(LogFile::Tile(file.path), file.bytes.clone());
        }
        let signed = self.head(at).sign(&self.signer);
        let signed = signed.ok_or("the signer is of another log")?;
        self.files.insert(LogFile::Checkpoint, signed.into_bytes());
        Ok(new)
    }

    /// The proof of an entry under the published checkpoint, and the entry.
    ///
    /// # Errors
    ///
    /// If there is no such entry.
    pub fn proof(&self, index: u64) -> Result<(TlogProof, Vec<u8>), Box<dyn Error>> {
        Ok(prove_entry(&self.files, self.key(), index)?)
    }

    /// Writes the files to a directory, plainly and without syncing.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn write_to(&self, directory: &Path) -> io::Result<()> {
        for (file, bytes) in self.files.iter() {
            let path = directory.join(file.to_string());
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, bytes)?;
        }
        Ok(())
    }
}
