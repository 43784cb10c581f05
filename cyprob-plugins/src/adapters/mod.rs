//! Readers of what comes from outside: plugin files, facts, Nmap XML.
//!
//! All of them work on bytes in memory, under [`crate::Limits`]; none opens a
//! file or a connection.

mod facts;
mod json;
mod nmap;
mod node;
mod plugin_reader;
mod yaml;

pub use facts::{FactsFormat, InputError, read_facts};
pub use plugin_reader::{NotLoaded, ParsedPlugin, parse_plugin};
