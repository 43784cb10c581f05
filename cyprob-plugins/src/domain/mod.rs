//! Types and pure rules: facts, plugins, findings and how rules are decided.
//!
//! Nothing here reads files, time or randomness.

mod compare;
mod diagnostic;
mod digest;
pub(crate) mod engine;
mod facts;
mod finding;
mod goprint;
#[cfg(feature = "runs")]
mod installed;
mod limits;
mod operator;
pub(crate) mod pattern;
mod plugin;
mod plugin_id;
#[cfg(feature = "runs")]
mod run;
#[cfg(feature = "runs")]
mod run_key;
mod severity;
mod template;
mod time_value;
mod value;
mod version;

pub use cyprob_core::domain::Position;
pub use diagnostic::{Code, Diagnostic, Level};
pub use digest::Digest;
pub use engine::{CompiledPlugin, Evaluation, Mode, Outcome};
pub use facts::{FactError, FactSet, MAX_KEY_CHARS};
pub use finding::{Evidence, Finding};
#[cfg(feature = "runs")]
pub use installed::{InstalledPlugin, PluginFile};
pub use limits::{Limits, PatternLimits};
pub use operator::{Logic, Operator};
pub use plugin::{
    Format, MatchBlock, Metadata, Output, Plugin, PluginType, Rule, Trigger, TriggerKind,
};
pub use plugin_id::PluginId;
#[cfg(feature = "runs")]
pub use run::{
    FactsFile, Fence, Job, NewRun, Run, RunCounts, RunResult, RunState, RunStateError,
    StoredFinding, Waiting,
};
#[cfg(feature = "runs")]
pub use run_key::{Requester, RunKey};
pub use severity::{Severity, SeverityLabel};
pub use time_value::TimeValue;
pub use value::{MapKey, Value, ValueMap};

pub(crate) use cyprob_core::domain::excerpt;
pub(crate) use engine::MATCH_INPUT_BYTES;
pub(crate) use engine::fixed::check as check_fixed;
pub(crate) use goprint::parse_float;
#[cfg(feature = "runs")]
pub(crate) use run::{MAX_FINDING_BYTES, MAX_FINDINGS, MAX_FINDINGS_BYTES};
#[cfg(feature = "runs")]
pub(crate) use run_key::request_digest;
pub(crate) use version::{FORMAT_VERSION, engine_accepts, is_version};
