//! Generators of plugin files, good and bad, and of facts.

mod facts;
mod hostile;
mod plugins;

use proptest::prelude::*;

pub use facts::{any_fact_file, fact_set};
pub use hostile::any_plugin_file;
pub use plugins::plugin_file;

/// Keys that plugins and facts of these generators share.
const KEYS: [&str; 8] = [
    "a",
    "a.b",
    "a.b.c",
    "http.headers",
    "http.headers.server",
    "ssh.version",
    "service.port",
    "z",
];

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&KEYS[..])
}
