//! What the benchmarks share: the stopwatch, a site with its bare twin, a client.
//!
//! Every benchmark prints lines of four columns: what was measured, ours, the
//! peer's, and their ratio. Both sides are measured in turns in one run, so
//! that a machine that is slow for a while is slow for both.
//!
//! ```text
//! cargo bench -p cyprob-benches
//! ```
//!
//! Other libraries are asked what the request check is asked in a workspace of
//! its own, `benches/peers`, so that nothing else has to compile them:
//!
//! ```text
//! cargo run --release --locked --manifest-path benches/peers/Cargo.toml
//! ```
//!
//! What is measured over PostgreSQL too is left out without a server, which the
//! variable `CYPROB_POSTGRES` names as it does for the tests.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has no result"
)]

mod host;
mod measure;
mod peer;
mod rate;
mod site;
mod wire;

pub use host::{EMAIL, Host, PASSWORD, database, post};
pub use measure::{Comparison, compare, compare_processor_time, heading};
pub use peer::Ed25519;
pub use rate::{Client, clients, heading_of_rates, rates};
pub use site::{Site, bare, guarded};
pub use wire::{Wire, serve};
