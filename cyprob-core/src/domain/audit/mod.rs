//! What is recorded: events, who did them, and the closed list of actions.
//!
//! The event stands in this crate because every crate that changes state names
//! its action in the transaction of the change; the log that makes events
//! tamper-evident is cyprob-audit's.

mod action;
mod actor;
mod event;
mod metadata;

pub use action::{Action, UnknownAction};
pub use actor::Actor;
pub use event::{AuditEvent, Outcome, RequestOrigin, Resource};
pub use metadata::{MetaValue, Metadata};
