//! The traits a host may implement.

mod denial_recorder;
mod key_custody;
mod role_source;

pub use denial_recorder::{DenialRecorder, RecordError};
pub use key_custody::{
    CustodyError, KeyCustody, PlanOutcome, PlanVersion, SignError, StoredPlan, TokenSigner,
    WaitingEvent,
};
pub use role_source::{RoleSource, RoleSourceError};
