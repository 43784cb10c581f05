//! Implementations of the ports.

pub mod directory;
pub mod memory;
