//! The traits a host may implement.

mod clock;
mod entropy;

pub use clock::Clock;
pub use entropy::{Entropy, EntropyExt};
