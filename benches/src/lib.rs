//! What the benchmarks share: the stopwatch, a site with its bare twin, a client.
//!
//! Every benchmark prints lines of four columns: what was measured, ours, the
//! peer's, and their ratio. Both sides are measured in turns in one run, so
//! that a machine that is slow for a while is slow for both.
//!
//! ```text
//! cargo bench -p cyprob-benches
//! ```

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has no result"
)]

mod measure;
mod peer;
mod site;
mod wire;

pub use measure::{Comparison, compare, heading};
pub use peer::Ed25519;
pub use site::{Site, bare};
pub use wire::{Wire, serve};
