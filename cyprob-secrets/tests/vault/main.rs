//! The adapters of Vault, on a real server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests say what they expect"
)]

mod listening;
mod over_vault;
mod own_server;
mod reviewer;
mod stand;
