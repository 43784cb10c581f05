//! Readers of what comes from outside: plugin files, facts, Nmap XML.
//!
//! All of them work on bytes in memory, under [`crate::Limits`]; none opens a
//! file or a connection.

mod facts;
#[cfg(feature = "runs")]
mod files;
mod json;
#[cfg(feature = "runs")]
pub mod memory;
mod nmap;
mod node;
mod plugin_reader;
#[cfg(feature = "postgres")]
pub mod postgres;
mod scalar;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "runs")]
pub mod worker;

pub use facts::{FactsFormat, InputError, read_facts};
#[cfg(feature = "runs")]
pub use files::Files;
pub use plugin_reader::{NotLoaded, ParsedPlugin, parse_plugin};
