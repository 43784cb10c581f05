//! Reading secrets: ours beside the clients that people use, on the same servers, in one run.
//!
//! It asks the servers that the tests use, which the variables `CYPROB_VAULT`,
//! `CYPROB_VAULT_TOKEN` and `CYPROB_MOTO` name.
//!
//! ```text
//! cargo run --release --locked --manifest-path benches/peers/Cargo.toml --features secrets --bin secrets
//! ```
//!
//! It prints one table, as the other benchmark here does, and below it how many
//! calls reached a server while many asked for one secret at once.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has no result"
)]

mod aws;
mod kept;
#[path = "../measure.rs"]
mod measure;
#[path = "../table.rs"]
mod table;
mod vault;

use std::process::ExitCode;

use table::Table;
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    // Two of the peers bring a TLS library each, which then do not choose by themselves.
    let chosen = rustls::crypto::ring::default_provider().install_default();
    chosen.expect("the first choice");
    let runtime = Runtime::new().expect("a runtime");
    let mut table = Table::default();
    kept::measure(&runtime, &mut table);
    vault::measure(&runtime, &mut table);
    aws::measure(&runtime, &mut table);
    if table.print() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The address of a server that the tests use too.
fn server(variable: &str) -> String {
    let why = format!("{variable} names a server: scripts/test starts one");
    std::env::var(variable).expect(&why)
}
