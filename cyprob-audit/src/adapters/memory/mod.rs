//! Everything in memory: for tests and for embedding without a disk.

mod log;
mod log_store;
mod subject_keys;

pub use log::{MemoryLog, MemorySink};
pub use log_store::MemoryLogStore;
pub use subject_keys::MemorySubjectKeys;
