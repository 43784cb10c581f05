//! Connections that outlive their request end with their token, and are counted.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

mod caps;
mod endings;
mod others;
mod storm;
mod support;
mod upgrades;
