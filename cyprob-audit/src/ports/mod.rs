//! What the log needs from its host: files to write, files to read, keys of subjects.

mod log_files;
mod subject_keys;
mod tile_sink;

pub use log_files::{Found, LogFiles, LogFilesError};
pub use subject_keys::{SubjectKeyStoreError, SubjectKeys};
pub use tile_sink::{Publication, TileSink, TileSinkError};
