//! A running server, a client of it, and people who sign in to it.

#![allow(dead_code, unused_imports, reason = "every test binary uses a part")]
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

pub(crate) mod attenuate;
pub(crate) mod client;
pub(crate) mod database;
pub(crate) mod dice;
pub(crate) mod factor;
pub(crate) mod judge;
pub(crate) mod load;
pub(crate) mod server;
pub(crate) mod world;

pub(crate) use client::{Answer, Client};
pub(crate) use database::{Backend, Database};
pub(crate) use server::Server;
pub(crate) use world::World;
