//! One question put to our request check and to other libraries, in one run.
//!
//! May whoever holds this token call a route that asks one permission in one
//! organization? The peers that know no tokens are asked the same of a person
//! whom they take on trust. Each knows no more than this question needs, which
//! is to its advantage, but where its row says otherwise. Before anything is
//! timed, each must answer yes to what is permitted, and no to another
//! permission and to another organization.
//!
//! ```text
//! cargo run --release --locked --manifest-path benches/peers/Cargo.toml
//! ```
//!
//! It prints one table: medians in microseconds, and the ratio of each pair within
//! a round. A ratio with a bar that is missed ends it with status 1; no time is
//! held to anything.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has no result"
)]

mod biscuit;
mod casbin;
mod cedar;
mod cold;
mod jwt;
mod measure;
mod ours;
mod question;
mod signatures;
mod table;
mod warm;

use std::process::ExitCode;

use ours::Ours;
use table::Table;

fn main() -> ExitCode {
    let ours = Ours::new();
    let mut table = Table::default();
    warm::measure(&ours, &mut table);
    cold::measure(&ours, &mut table);
    if table.print() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
