//! The key ring as one handle holds it, and follows what others make of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cyprob_core::ports::Entropy;
use zeroize::Zeroizing;

use super::KeySource;
use super::dir::Dir;
use super::key::KeyFile;
use super::ring::{Ring, wrapped_by};
use crate::domain::MasterKey;
use crate::ports::{Damage, Sealed, SecretError};

/// The file of the ring, which also marks the directory as a store.
const RING: &str = "store";

/// The ring, and where its master key is.
pub(super) struct Held(Mutex<State>);

struct State {
    source: KeySource,
    /// The ring's file as it was read last.
    file: Vec<u8>,
    ring: Arc<Ring>,
}

impl Held {
    /// Opens the ring of a directory whose exclusive lock is held, or makes it.
    pub(super) fn open(
        dir: &Dir,
        source: KeySource,
        entropy: &dyn Entropy,
    ) -> Result<Self, SecretError> {
        let (file, ring) = match read(dir)? {
            Some(file) => {
                let ring = source.with(&file, |_, ring| Ok(ring))?;
                (file.to_vec(), ring)
            }
            None if dir.list()?.iter().any(|name| name.contains('@')) => {
                // Secrets without their marker: making a new store would orphan them.
                return Err(damaged(Damage::Missing));
            }
            None => {
                let ring = Ring::draw(entropy)?;
                let file = match &source {
                    KeySource::Given(master) => ring.wrap(master, entropy)?,
                    KeySource::File(path) => {
                        ring.wrap(&KeyFile::at(path)?.read_or_make(entropy)?, entropy)?
                    }
                };
                dir.replace(RING, &file, entropy)?;
                (file, ring)
            }
        };
        Ok(Self(Mutex::new(State {
            source,
            file,
            ring: Arc::new(ring),
        })))
    }

    /// The ring as it is now; the directory's lock is held.
    pub(super) fn ring(&self, dir: &Dir) -> Result<Arc<Ring>, SecretError> {
        let file = read(dir)?.ok_or_else(|| damaged(Damage::Missing))?;
        let mut state = self.state();
        if *file != state.file {
            let ring = match state.source.with(&file, |_, ring| Ok(ring)) {
                Ok(ring) => ring,
                // Without the new master key: good as long as the data keys are the same.
                Err(error) => state.ring.followed(&file).ok_or(error)?,
            };
            if ring.generation() <= state.ring.generation() {
                return Err(damaged(Damage::Older));
            }
            state.ring = Arc::new(ring);
            state.file = file.to_vec();
        }
        Ok(Arc::clone(&state.ring))
    }

    /// Puts the next ring in place under the same master key; the exclusive lock is held.
    pub(super) fn replace(
        &self,
        dir: &Dir,
        next: Ring,
        entropy: &dyn Entropy,
    ) -> Result<Arc<Ring>, SecretError> {
        let mut state = self.state();
        let file = state
            .source
            .with(&state.file, |master, _| next.wrap(master, entropy))?;
        state.put(dir, next, file, entropy)
    }

    /// Puts the next ring in place under another master key, and that into its
    /// file; says where the one before is kept. The exclusive lock is held.
    pub(super) fn rewrap(
        &self,
        dir: &Dir,
        next: Ring,
        master: MasterKey,
        entropy: &dyn Entropy,
    ) -> Result<Option<PathBuf>, SecretError> {
        let mut state = self.state();
        // Only who has the present key may replace it.
        state.source.with(&state.file, |_, _| Ok(()))?;
        let file = next.wrap(&master, entropy)?;
        let KeySource::File(path) = &state.source else {
            state.put(dir, next, file, entropy)?;
            state.source = KeySource::Given(master);
            return Ok(None);
        };
        let path = path.clone();
        let key_file = KeyFile::at(&path)?;
        key_file.clean()?;
        let kept = match key_file.read()? {
            Some(before) => Some(key_file.keep(&before, entropy)?),
            None => None,
        };
        key_file.keep(&master, entropy)?;
        state.put(dir, next, file, entropy)?;
        key_file.take(&master, entropy)?;
        Ok(kept)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Ring and file change together, after everything that can fail.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(
        &mut self,
        dir: &Dir,
        next: Ring,
        file: Vec<u8>,
        entropy: &dyn Entropy,
    ) -> Result<Arc<Ring>, SecretError> {
        dir.replace(RING, &file, entropy)?;
        self.file = file;
        self.ring = Arc::new(next);
        Ok(Arc::clone(&self.ring))
    }
}

impl KeySource {
    /// Uses a ring's file with the master key that it is wrapped by.
    fn with<T>(
        &self,
        file: &[u8],
        then: impl FnOnce(&MasterKey, Ring) -> Result<T, SecretError>,
    ) -> Result<T, SecretError> {
        let path = match self {
            Self::Given(master) => return then(master, Ring::open(file, master)?),
            Self::File(path) => path,
        };
        let key_file = KeyFile::at(path)?;
        let absent = match key_file.read()? {
            Some(master) => match Ring::open(file, &master) {
                Err(SecretError::WrongKey { item }) => SecretError::WrongKey { item },
                opened => return then(&master, opened?),
            },
            None => SecretError::KeyMissing,
        };
        let kept = match wrapped_by(file) {
            Some(id) => key_file.read_kept(id)?,
            None => None,
        };
        match kept {
            Some(master) => then(&master, Ring::open(file, &master)?),
            None => Err(absent),
        }
    }
}

fn read(dir: &Dir) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
    dir.read(RING, &Sealed::Store)
}

fn damaged(damage: Damage) -> SecretError {
    SecretError::Damaged {
        item: Sealed::Store,
        damage,
    }
}
