//! `cyprob secrets`: the data directory's secrets, with and without a server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod data;
mod doctor;
mod pty;
mod rotation;
#[path = "../support/mod.rs"]
mod support;
mod values;
