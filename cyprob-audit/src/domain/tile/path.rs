//! Paths of tiles and bundles: `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`.

use std::fmt;
use std::str::FromStr;

use super::TILE_WIDTH;
use crate::domain::log_file::decimal;

/// The text is not the path of a tile or bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a tile or an entry bundle")]
pub struct TilePathError;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes; each spans 256^level leaves.
    Hashes {
        /// The level, 0 to 63; no tree that we take passes 7.
        level: u8,
    },
    /// The entries themselves.
    Entries,
}

/// The place of a tile: its kind, its index among those of its kind, its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl TilePath {
    /// The place of a full tile.
    #[must_use]
    pub const fn full(kind: TileKind, index: u64) -> Self {
        Self {
            kind,
            index,
            width: TILE_WIDTH as u16,
        }
    }

    /// The place of a tile of 1 to 256 hashes or entries; `None` for any other width.
    #[must_use]
    pub fn of_width(kind: TileKind, index: u64, width: u64) -> Option<Self> {
        let width = u16::try_from(width).ok()?;
        (1..=TILE_WIDTH)
            .contains(&u64::from(width))
            .then_some(Self { kind, index, width })
    }

    /// The place of a partial tile whose width is known to be 1 to 255.
    pub(crate) const fn partial(kind: TileKind, index: u64, width: u64) -> Self {
        Self {
            kind,
            index,
            width: (width % TILE_WIDTH) as u16,
        }
    }

    /// What it holds.
    #[must_use]
    pub const fn kind(self) -> TileKind {
        self.kind
    }

    /// Its index among the tiles of its kind.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds, 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Whether it holds 256.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.width as u64 == TILE_WIDTH
    }

    /// The full tile at the same place.
    #[must_use]
    pub const fn to_full(self) -> Self {
        Self::full(self.kind, self.index)
    }

    /// The longest file that such a tile can be, in bytes.
    #[must_use]
    pub fn max_bytes(self) -> usize {
        let each = match self.kind {
            TileKind::Hashes { .. } => crate::domain::Hash::LEN,
            TileKind::Entries => 2 + super::MAX_ENTRY_BYTES,
        };
        usize::from(self.width) * each
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        // u64::MAX has 20 digits: at most seven groups of three.
        for group in (1..7).rev() {
            let above = self.index / 1_000_u64.pow(group);
            if above > 0 {
                write!(f, "x{:03}/", above % 1_000)?;
            }
        }
        write!(f, "{:03}", self.index % 1_000)?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(text: &str) -> Result<Self, TilePathError> {
        parse(text)
            // One spelling a tile: what is written back must be what was read.
            .filter(|path| path.to_string() == text)
            .ok_or(TilePathError)
    }
}

fn parse(text: &str) -> Option<TilePath> {
    if text.len() > 64 {
        return None;
    }
    let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
    let kind = if kind == "entries" {
        TileKind::Entries
    } else {
        let level = decimal(kind).filter(|level| *level <= 63)?;
        TileKind::Hashes {
            level: u8::try_from(level).ok()?,
        }
    };
    let (number, width) = match rest.split_once(".p/") {
        Some((number, width)) => (
            number,
            decimal(width).filter(|width| (1..TILE_WIDTH).contains(width))?,
        ),
        None => (rest, TILE_WIDTH),
    };
    let (above, last) = match number.rsplit_once('/') {
        Some((above, last)) => (Some(above), last),
        None => (None, number),
    };
    let mut index = 0_u64;
    for group in above.into_iter().flat_map(|above| above.split('/')) {
        index = append(index, group.strip_prefix('x')?)?;
    }
    TilePath::of_width(kind, append(index, last)?, width)
}

fn append(index: u64, group: &str) -> Option<u64> {
    if group.len() != 3 || !group.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    index.checked_mul(1_000)?.checked_add(group.parse().ok()?)
}
