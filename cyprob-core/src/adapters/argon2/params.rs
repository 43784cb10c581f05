//! The cost of a hash.

/// What one hash costs: memory, passes and lanes of argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HashParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// These parameters cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// They ask for more than any hash may cost here, or are none of argon2's.
    #[error(
        "argon2 parameters out of bounds: 8 KiB per lane to 262144 KiB, 1 to 10 passes, 1 to 4 lanes"
    )]
    OutOfBounds,
    /// New hashes must cost at least what OWASP's password storage advice lists.
    #[error("argon2 parameters below the minimum: 19456 KiB with 2 passes, or an equivalent")]
    TooWeak,
}

/// OWASP Password Storage Cheat Sheet: memory in KiB and passes of equal strength.
const MINIMA: [(u32, u32); 5] = [
    (47_104, 1),
    (19_456, 2),
    (12_288, 3),
    (9_216, 4),
    (7_168, 5),
];

impl HashParams {
    /// The most memory that a stored hash may ask for, in KiB.
    pub const MAX_MEMORY_KIB: u32 = 262_144;
    /// The most passes that a stored hash may ask for.
    pub const MAX_PASSES: u32 = 10;
    /// The most lanes that a stored hash may ask for.
    pub const MAX_LANES: u32 = 4;

    /// OWASP's first choice: 19456 KiB, 2 passes, 1 lane.
    pub const OWASP: Self = Self {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };

    /// Parameters that a stored hash may have.
    ///
    /// # Errors
    ///
    /// [`ParamsError::OutOfBounds`].
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, ParamsError> {
        if lanes < 1
            || lanes > Self::MAX_LANES
            || passes < 1
            || passes > Self::MAX_PASSES
            || memory_kib < 8 * lanes
            || memory_kib > Self::MAX_MEMORY_KIB
        {
            return Err(ParamsError::OutOfBounds);
        }
        Ok(Self {
            memory_kib,
            passes,
            lanes,
        })
    }

    /// The least that argon2 can do. For tests alone.
    #[cfg(feature = "testkit")]
    pub const TESTING: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    /// Memory in KiB.
    #[must_use]
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Whether new hashes may be made with them.
    pub(super) fn strong(self) -> Result<Self, ParamsError> {
        let strong = MINIMA
            .iter()
            .any(|(memory, passes)| self.memory_kib >= *memory && self.passes >= *passes);
        if strong {
            Ok(self)
        } else {
            Err(ParamsError::TooWeak)
        }
    }

    /// Memory traffic of one hash in KiB: what its time grows with.
    pub(super) fn work(self) -> u64 {
        u64::from(self.memory_kib).saturating_mul(u64::from(self.passes))
    }
}

impl Default for HashParams {
    fn default() -> Self {
        Self::OWASP
    }
}
