//! The secure router against hostile requests.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

mod bodies;
mod closed;
mod credentials;
mod fewer;
mod head;
mod machines;
mod matrix;
mod objects;
mod one_use;
mod proofs;
mod refusals;
mod revoked;
mod sealing;
mod snapshot;
mod support;
mod workers;
