//! The traits a host may implement.

mod denial_recorder;

pub use denial_recorder::{DenialRecorder, RecordError};
