//! Cost parameters, with a floor below and a ceiling above.

/// What one hash costs: memory in KiB, passes, lanes.
///
/// At least one of the equivalent minimums of the OWASP Password Storage Cheat
/// Sheet holds for every value that [`HashParams::new`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HashParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The parameters are too weak, or more than a server should spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "argon2 parameters out of bounds: at least 19456 KiB and 2 passes or an equivalent, at most 262144 KiB, 10 passes, 4 lanes"
)]
pub struct WeakParams;

/// Equivalent minimums: memory in KiB and passes.
const FLOORS: [(u32, u32); 5] = [
    (47_104, 1),
    (19_456, 2),
    (12_288, 3),
    (9_216, 4),
    (7_168, 5),
];

impl HashParams {
    /// Parameters within the bounds.
    ///
    /// # Errors
    ///
    /// [`WeakParams`] outside them.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, WeakParams> {
        let params = Self {
            memory_kib,
            passes,
            lanes,
        };
        let strong = FLOORS.iter().any(|(m, t)| memory_kib >= *m && passes >= *t);
        if strong && params.is_bounded() {
            Ok(params)
        } else {
            Err(WeakParams)
        }
    }

    /// Parameters that protect nothing, so that tests are fast.
    #[cfg(feature = "testkit")]
    #[must_use]
    pub const fn insecure_for_tests() -> Self {
        Self {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        }
    }

    /// Parameters as a stored hash names them, if a server may spend them: they may be old, but not huge.
    pub(super) fn stored(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let params = Self {
            memory_kib,
            passes,
            lanes,
        };
        params.is_bounded().then_some(params)
    }

    fn is_bounded(self) -> bool {
        (8..=262_144).contains(&self.memory_kib)
            && (1..=10).contains(&self.passes)
            && (1..=4).contains(&self.lanes)
            && self.memory_kib >= 8 * self.lanes
    }

    /// Memory in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }
}

impl Default for HashParams {
    /// 19,456 KiB, 2 passes, 1 lane.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}
