//! What the log needs from its host: a store, files to write and to read, keys of subjects.

mod event_sink;
mod log_files;
mod log_store;
mod published_logs;
mod subject_keys;
mod tile_sink;

pub use event_sink::{EventSink, EventSinkError};
pub use log_files::{Found, LogFiles, LogFilesError};
pub use log_store::{
    Batch, FoundEntries, LogStore, LogStoreError, Look, NewEntry, Placed, SignedHead,
};
pub use published_logs::{PublishedLogs, PublishedLogsError};
pub use subject_keys::{SubjectKeyStoreError, SubjectKeys};
pub use tile_sink::{Publication, TileSink, TileSinkError};
