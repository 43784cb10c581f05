//! `cyprob serve` on PostgreSQL: outages, full pools, and more than one node.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod logs;
mod over_postgres_chaos;
mod over_postgres_nodes;
mod over_postgres_opening;
mod over_postgres_outage;
mod server;
#[path = "../support/mod.rs"]
mod support;
