//! One log's file and its cursor.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::Deserialize;

/// Longest line that is looked for at the end of a file: a leaf with its names opened.
const MAX_LINE: u64 = 1 << 20;

/// The files of one log.
#[derive(Debug)]
pub(super) struct LineFile<'a> {
    directory: &'a Path,
    name: &'a str,
    max_bytes: u64,
}

/// What of a line is read back.
#[derive(Deserialize)]
struct Index {
    index: u64,
}

impl<'a> LineFile<'a> {
    pub(super) fn of(directory: &'a Path, name: &'a str, max_bytes: u64) -> Self {
        Self {
            directory,
            name,
            max_bytes,
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.join(format!("{}.jsonl", self.name))
    }

    fn cursor_path(&self) -> PathBuf {
        self.directory.join(format!("{}.cursor", self.name))
    }

    /// Cuts off a torn line, makes what is there durable, and gives the index that comes next.
    pub(super) fn recover(&self) -> io::Result<u64> {
        let cursor = self.cursor()?;
        let Some(mut file) = open(&self.path(), false)? else {
            return Ok(cursor);
        };
        let size = file.metadata()?.len();
        let from = size.saturating_sub(MAX_LINE);
        file.seek(SeekFrom::Start(from))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let whole = tail
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let kept = from + u64::try_from(whole).map_err(io::Error::other)?;
        if kept < size {
            file.set_len(kept)?;
        }
        file.sync_all()?;
        let lines = tail.get(..whole).unwrap_or_default();
        let last = lines
            .strip_suffix(b"\n")
            .unwrap_or(lines)
            .rsplit(|byte| *byte == b'\n')
            .next();
        let told = last.and_then(|line| serde_json::from_slice::<Index>(line).ok());
        Ok(told.map_or(cursor, |last| cursor.max(last.index + 1)))
    }

    /// Appends lines and moves the cursor; what cannot be written whole is taken back.
    pub(super) fn append(&self, first: u64, lines: &[Vec<u8>]) -> io::Result<()> {
        let mut file = self.current(first)?;
        let before = file.metadata()?.len();
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // A short write would stand in the way of the next one.
            file.set_len(before)?;
            return Err(error);
        }
        let count = u64::try_from(lines.len()).map_err(io::Error::other)?;
        self.set_cursor(first + count)
    }

    /// The file that grows, after it was rotated if it is large.
    fn current(&self, next: u64) -> io::Result<File> {
        let path = self.path();
        if let Some(file) = open(&path, false)?
            && file.metadata()?.len() < self.max_bytes
        {
            return reopen_for_append(&path);
        }
        if path.try_exists()? {
            let aside = self
                .directory
                .join(format!("{}.{next:020}.jsonl", self.name));
            std::fs::rename(&path, aside)?;
        }
        let made = open(&path, true)?;
        File::open(self.directory)?.sync_all()?;
        made.ok_or_else(|| io::Error::from(ErrorKind::NotFound))?;
        reopen_for_append(&path)
    }

    fn cursor(&self) -> io::Result<u64> {
        match std::fs::read_to_string(self.cursor_path()) {
            Ok(text) => text.trim().parse().map_err(|_| {
                io::Error::new(
                    ErrorKind::InvalidData,
                    "the cursor is no number; remove its file to begin anew",
                )
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn set_cursor(&self, next: u64) -> io::Result<()> {
        let fresh = self.directory.join(format!("{}.cursor.new", self.name));
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        writeln!(file, "{next}")?;
        file.sync_all()?;
        std::fs::rename(&fresh, self.cursor_path())?;
        File::open(self.directory)?.sync_all()
    }
}

/// Opens a plain file, never through a link and never waiting for one; none if there is none.
fn open(path: &Path, create: bool) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .mode(0o600);
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    options.custom_flags(i32::try_from(flags).map_err(io::Error::other)?);
    match options.open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Err(io::Error::new(ErrorKind::InvalidInput, "not a plain file")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn reopen_for_append(path: &Path) -> io::Result<File> {
    let mut file = open(path, false)?.ok_or_else(|| io::Error::from(ErrorKind::NotFound))?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}
