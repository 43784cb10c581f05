//! What runs need from their host: stores, a queue, workers, tokens of attempts.

mod file_reader;
mod job_tokens;
mod plugin_store;
mod queue;
mod run_store;
mod workers;

pub use file_reader::{FileReader, Unreadable};
pub use job_tokens::{JobGrant, JobTokenError, JobTokens};
pub use plugin_store::{InstallOutcome, PluginStore};
pub use queue::Queue;
pub use run_store::{CancelOutcome, CreateOutcome, KeyedRun, RunStore};
pub use workers::{Lost, Report, Verdict, Workers};
