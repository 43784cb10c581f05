//! What operators do beside the processes of a deployment, on its way to the audit trail.

use std::error::Error;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use cyprob_core::domain::audit::AuditEvent;
use cyprob_core::ports::EntropyExt as _;
use tokio::task::spawn_blocking;

use crate::ControlPlane;

/// A file of events that wait for a process which records them, one JSON object a line.
///
/// A command that runs beside the processes cannot write the trail, which is
/// one process's work at a time. It notes here what it is about to do, and does
/// nothing that it cannot note. The process that leads records the events
/// within seconds, or when it starts, and empties the file. What a process was
/// recording when it was killed is recorded again, under another id.
#[derive(Clone, Debug)]
pub struct OperatorJournal {
    path: PathBuf,
}

/// Events that wait, and the file, which nobody else changes meanwhile.
struct Waiting {
    file: File,
    events: Vec<AuditEvent>,
    /// Lines that this version cannot read; they wait on.
    unread: String,
}

impl OperatorJournal {
    /// The journal of a data directory, its file `operator-journal`.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        Self {
            path: directory.join("operator-journal"),
        }
    }

    /// Notes an event, durably.
    ///
    /// # Errors
    ///
    /// The file system's; then the event may be noted or not.
    pub fn note(&self, event: &AuditEvent) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).mode(0o600);
        let mut file = match options.open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let file = options.create(true).open(&self.path)?;
                File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
                file
            }
            opened => opened?,
        };
        file.lock()?;
        let mut line = String::new();
        if !ends_a_line(&mut file)? {
            line.push('\n');
        }
        line.push_str(&serde_json::to_string(event)?);
        line.push('\n');
        file.write_all(line.as_bytes())?;
        file.sync_all()
    }

    /// What waits; none if nothing does, or if somebody is noting something.
    fn waiting(&self) -> io::Result<Option<Waiting>> {
        let mut file = match OpenOptions::new().read(true).write(true).open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => {}
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let (mut events, mut unread) = (Vec::new(), String::new());
        for line in String::from_utf8_lossy(&text).lines() {
            match serde_json::from_str(line) {
                Ok(event) => events.push(event),
                Err(_) if line.is_empty() => {}
                Err(_) => unread.extend([line, "\n"]),
            }
        }
        Ok((!events.is_empty()).then_some(Waiting {
            file,
            events,
            unread,
        }))
    }
}

impl Waiting {
    /// Leaves only what could not be read.
    fn recorded(mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(self.unread.as_bytes())?;
        self.file.sync_all()
    }
}

/// Whether what is noted next begins a line: a writer may have been killed within one.
fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last == [b'\n'])
}

/// Records what waits; for the process that leads.
pub(crate) async fn record(plane: &ControlPlane) -> Result<(), Box<dyn Error + Send + Sync>> {
    let parts = plane.parts();
    let Some(journal) = parts.journal.clone() else {
        return Ok(());
    };
    let Some(mut waiting) = spawn_blocking(move || journal.waiting()).await?? else {
        return Ok(());
    };
    for event in &mut waiting.events {
        // The log takes an id once; a second attempt must not stop it.
        event.id = parts.entropy.id(event.at);
    }
    parts.store.record(&waiting.events).await?;
    spawn_blocking(move || waiting.recorded()).await??;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::os::unix::fs::PermissionsExt;

    use cyprob_core::adapters::system::SystemEntropy;
    use cyprob_core::domain::audit::{Action, Resource};
    use cyprob_core::domain::{Caller, Timestamp};

    use super::*;

    fn event(on: &str) -> AuditEvent {
        let at = Timestamp::from_seconds(1_800_000_000);
        let on = Resource::new("secret", on);
        let id = SystemEntropy.id(at);
        AuditEvent::new(id, at, &Caller::operator(), Action::AdminCommand, on)
    }

    fn names(waiting: &Waiting) -> Vec<&str> {
        let events = waiting.events.iter();
        events.map(|event| event.resource.id.as_str()).collect()
    }

    #[test]
    fn what_is_noted_waits_until_it_is_recorded() {
        let home = tempfile::tempdir().unwrap();
        let journal = OperatorJournal::of(home.path());
        assert!(journal.waiting().unwrap().is_none());
        journal.note(&event("a")).unwrap();
        journal.note(&event("b")).unwrap();
        let mode = std::fs::metadata(&journal.path)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o600);
        let waiting = journal.waiting().unwrap().unwrap();
        assert_eq!(names(&waiting), ["a", "b"]);
        assert_eq!(waiting.events.first(), Some(&event_again(&waiting)));
        // It is ours until it is recorded, and then empty.
        assert!(journal.waiting().unwrap().is_none());
        drop(waiting);
        let waiting = journal.waiting().unwrap().unwrap();
        waiting.recorded().unwrap();
        assert!(journal.waiting().unwrap().is_none());
        journal.note(&event("c")).unwrap();
        assert_eq!(names(&journal.waiting().unwrap().unwrap()), ["c"]);
    }

    /// What the first event should be: all but its id is as it was noted.
    fn event_again(waiting: &Waiting) -> AuditEvent {
        let mut again = event("a");
        again.id = waiting.events.first().unwrap().id;
        again
    }

    #[test]
    fn a_torn_or_unknown_line_hides_no_other_and_waits_on() {
        let home = tempfile::tempdir().unwrap();
        let journal = OperatorJournal::of(home.path());
        journal.note(&event("a")).unwrap();
        let mut text = std::fs::read_to_string(&journal.path).unwrap();
        text.push_str("{\"id\":\"evt");
        std::fs::write(&journal.path, text).unwrap();
        journal.note(&event("b")).unwrap();
        let waiting = journal.waiting().unwrap().unwrap();
        assert_eq!(names(&waiting), ["a", "b"]);
        waiting.recorded().unwrap();
        assert!(journal.waiting().unwrap().is_none());
        let left = std::fs::read_to_string(&journal.path).unwrap();
        assert_eq!(left, "{\"id\":\"evt\n");
    }
}
