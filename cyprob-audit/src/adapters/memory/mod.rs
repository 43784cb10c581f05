//! Everything in memory: for tests and for embedding without a disk.

mod log;
mod subject_keys;

pub use log::{MemoryLog, MemorySink};
pub use subject_keys::MemorySubjectKeys;
