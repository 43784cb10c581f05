//! A security control plane that a Rust application embeds.
