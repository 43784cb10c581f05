//! Rotation: another master key, and another data key.

use super::store::{Inner, Session, item_of};
use super::{Reencrypted, Rewrapped};
use crate::domain::MasterKey;
use crate::ports::{Sealed, SecretError};

/// What became of one file.
enum Step {
    /// It is sealed under the present key now.
    Resealed,
    /// It was already.
    Already,
    /// It is gone, or was never one of this store.
    Nothing,
}

impl Inner {
    pub(super) fn rewrap(&self, master: MasterKey) -> Result<Rewrapped, SecretError> {
        let session = self.session(true)?;
        let next = session.ring.rewrapped(session.entropy)?;
        let reencryption_due = next.retires();
        let before = session
            .held
            .rewrap(session.dir, next, master, session.entropy)?;
        Ok(Rewrapped {
            before,
            reencryption_due,
        })
    }

    pub(super) fn reencrypt(&self) -> Result<Reencrypted, SecretError> {
        let mut done = Reencrypted::default();
        let (key, files) = {
            let mut session = self.session(true)?;
            session.begin()?;
            (session.ring.sealing(), session.dir.list()?)
        };
        let mut broken = None;
        for file in &files {
            // One file under the lock at a time, so that others get their turn.
            let session = self.session(true)?;
            if session.ring.sealing() != key {
                // Another process finished this, and has begun again.
                return Ok(done);
            }
            match session.reseal(file) {
                Ok(step) => done.count(&step),
                Err(error @ SecretError::Unavailable { .. }) => return Err(error),
                Err(error) => broken = broken.or(Some(error)),
            }
        }
        if let Some(broken) = broken {
            // Its key stays, for when the file is restored.
            return Err(broken);
        }
        let session = self.session(true)?;
        if session.ring.sealing() == key && session.ring.retires() {
            session.finish(&mut done)?;
        }
        Ok(done)
    }
}

impl Session<'_> {
    /// Draws the key that everything is to be sealed under, unless one is drawn already.
    fn begin(&mut self) -> Result<(), SecretError> {
        if !self.ring.retires() {
            let next = self.ring.renewed(self.entropy)?;
            self.ring = self.held.replace(self.dir, next, self.entropy)?;
        }
        Ok(())
    }

    /// Seals a file under the present key, with the time and version that it had.
    fn reseal(&self, file: &str) -> Result<Step, SecretError> {
        let Some(item) = item_of(file) else {
            return Ok(Step::Nothing);
        };
        let Some(sealed) = self.dir.read(file, &item)? else {
            return Ok(Step::Nothing);
        };
        if self.ring.seals(&item, &sealed)? {
            return Ok(Step::Already);
        }
        if let Sealed::Value(name, version) = &item
            && version.get() < self.head(name)?.floor
        {
            // An interrupted deletion left it, or somebody put it back.
            self.dir.remove(file)?;
            return Ok(Step::Nothing);
        }
        let opened = self.ring.unseal(&item, &sealed)?;
        self.write(&item, file, &opened.bytes, opened.at)?;
        Ok(Step::Resealed)
    }

    /// Looks at every file again while nobody else writes, and drops the key that retired.
    fn finish(&self, done: &mut Reencrypted) -> Result<(), SecretError> {
        for file in self.dir.list()? {
            if let step @ Step::Resealed = self.reseal(&file)? {
                done.count(&step);
            }
        }
        self.dir.clean()?;
        self.dir.sync()?;
        let next = self.ring.retired();
        self.held.replace(self.dir, next, self.entropy).map(|_| ())
    }
}

impl Reencrypted {
    fn count(&mut self, step: &Step) {
        match step {
            Step::Resealed => self.resealed += 1,
            Step::Already => self.already += 1,
            Step::Nothing => {}
        }
    }
}
