//! The traits a host may implement.

mod denial_recorder;
mod role_source;

pub use denial_recorder::{DenialRecorder, RecordError};
pub use role_source::{RoleSource, RoleSourceError};
