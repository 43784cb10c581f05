//! Bisection over the bytes of a sorted file.

use std::cmp::Ordering;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::BreachFileError;
use super::line::{self, Hash};

/// At how many places an opened file is looked at.
const SAMPLES: u64 = 1_024;

/// A file whose lines ascend.
#[derive(Debug)]
pub(super) struct Sorted {
    file: File,
    len: u64,
}

/// A line, and where it starts.
struct Line {
    start: u64,
    hash: Hash,
}

impl Sorted {
    pub(super) const fn new(file: File, len: u64) -> Self {
        Self { file, len }
    }

    /// Reads lines at places spread over the file: each is well-formed and none is below the one before.
    pub(super) fn sample(&self) -> Result<(), BreachFileError> {
        let last = self.len.saturating_sub(line::LONGEST as u64);
        let spread = (0..SAMPLES).map(|i| mul_div(self.len, i, SAMPLES));
        let mut before: Option<Line> = None;
        for at in spread.chain([last]) {
            let Some(line) = self.line_from(at)? else {
                continue;
            };
            if before.is_some_and(|before| before.start < line.start && before.hash >= line.hash) {
                return Err(BreachFileError::Unsorted { at: line.start });
            }
            before = Some(line);
        }
        before.map(drop).ok_or(BreachFileError::Empty)
    }

    /// Whether a line has this hash.
    ///
    /// Every line on the way must lie between those already seen on either side,
    /// so a file that is not sorted at those places is found out.
    pub(super) fn holds(&self, hash: &Hash) -> Result<bool, BreachFileError> {
        if self.file.metadata()?.len() != self.len {
            return Err(BreachFileError::Changed);
        }
        // INVARIANT: the hash is on no line that starts before `low`, and on none that starts at `high` or later.
        let (mut low, mut high) = (0, self.len);
        let (mut below, mut above): (Option<Hash>, Option<Hash>) = (None, None);
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(line) = self.line_from(middle)?.filter(|line| line.start < high) else {
                high = middle;
                continue;
            };
            let at = line.start;
            if below.is_some_and(|it| line.hash <= it) || above.is_some_and(|it| line.hash >= it) {
                return Err(BreachFileError::Unsorted { at });
            }
            match line.hash.cmp(hash) {
                Ordering::Equal => return Ok(true),
                Ordering::Less => {
                    below = Some(line.hash);
                    low = at + 1;
                }
                Ordering::Greater => {
                    above = Some(line.hash);
                    high = middle;
                }
            }
        }
        Ok(false)
    }

    /// The first line that starts at this byte or later.
    fn line_from(&self, at: u64) -> Result<Option<Line>, BreachFileError> {
        let malformed = BreachFileError::Malformed { at };
        // A line starts at the file's start and after each line feed.
        let from = at.saturating_sub(1);
        let mut bytes = [0; 2 * line::LONGEST + 1];
        let read = self.read(&mut bytes, from)?;
        let bytes = bytes.get(..read).unwrap_or_default();
        let whole = from + read as u64 >= self.len;
        let (skipped, rest) = if at == 0 {
            (0, bytes)
        } else {
            match bytes.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, bytes.get(end + 1..).unwrap_or_default()),
                None if whole => return Ok(None),
                None => return Err(malformed),
            }
        };
        if rest.is_empty() && whole {
            return Ok(None);
        }
        let text = match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => rest.get(..end).unwrap_or_default(),
            None if whole => rest,
            None => return Err(malformed),
        };
        let hash = line::parse(text).ok_or(malformed)?;
        Ok(Some(Line {
            start: from + skipped as u64,
            hash,
        }))
    }

    /// Fills the buffer as far as the file goes.
    fn read(&self, buffer: &mut [u8], from: u64) -> Result<usize, BreachFileError> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, from + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Shorter than it was: somebody cut it off.
        if filled < buffer.len() && from + (filled as u64) < self.len {
            return Err(BreachFileError::Changed);
        }
        Ok(filled)
    }
}

/// `a * b / c` without an overflow.
fn mul_div(a: u64, b: u64, c: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b) / u128::from(c.max(1));
    u64::try_from(wide).unwrap_or(u64::MAX)
}
