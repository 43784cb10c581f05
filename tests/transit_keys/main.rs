//! Token keys in the transit engine of a Vault, on a real server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test reports by panicking, and measures"
)]

mod engine;
#[path = "../../cyprob-secrets/tests/vault/listening.rs"]
mod listening;
mod node;
mod over_vault;
#[path = "../../cyprob-secrets/tests/vault/stand.rs"]
#[expect(
    dead_code,
    reason = "the tests of the other sources of secrets use the rest"
)]
mod stand;
