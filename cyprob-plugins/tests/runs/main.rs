//! Installing plugins, asking for runs, and workers that are other processes:
//! killed, hung, lying and replaying, they lose no run and have at most one
//! result accepted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking"
)]

mod dispatcher;
mod hidden;
mod honest;
mod liars;
mod library;
mod lost;
mod requests;
mod site;
