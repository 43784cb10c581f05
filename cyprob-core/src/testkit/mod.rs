//! Conformance suites, fakes and properties.
//!
//! A store of your own passes [`identity_store_conformance!`](crate::identity_store_conformance),
//! one line in a test file, and one of spent uses
//! [`spent_store_conformance!`](crate::spent_store_conformance). [`ManualClock`],
//! [`SeededEntropy`], [`FixedRoles`] and [`RecordingFeed`] stand in for the clock,
//! randomness, roles and the revocation feed.

pub mod breach_list;
mod fakes;
pub mod identity_store;
mod notifier;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod properties;
mod race;
pub(crate) mod site;
pub mod spent_store;
mod tally;
pub mod timing;

pub use fakes::{FixedBreaches, FixedRoles, ManualClock, RecordingFeed, SeededEntropy};
pub use notifier::RecordingNotifier;
pub use race::race;
pub use tally::Tally;
