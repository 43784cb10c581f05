//! A layer of policies answers as the secure router does, whatever it is asked.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

mod bodies;
mod cells;
mod nested;
mod sealing;
mod services;
mod support;
