//! Randomness as a port.

use std::fmt::Debug;

use crate::domain::{Id, Timestamp};

/// Gives random bytes that nobody can predict.
pub trait Entropy: Debug + Send + Sync + 'static {
    /// Fills the whole slice.
    fn fill(&self, out: &mut [u8]);
}

/// What every [`Entropy`] can do.
pub trait EntropyExt: Entropy {
    /// A fixed number of random bytes.
    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// A new identifier of this moment.
    fn id<I: Id>(&self, at: Timestamp) -> I {
        I::from_random(at, self.bytes())
    }
}

impl<T: Entropy + ?Sized> EntropyExt for T {}
