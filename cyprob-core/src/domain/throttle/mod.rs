//! Throttling without a lockout attack: the pure rules.
//!
//! Whoever guesses is slowed down, by network and by the account that is
//! guessed at. Whoever signed in before shows a device token and is counted
//! apart, so that no stranger can keep them out.

mod bucket;
mod device;
mod distinct;
mod failures;
mod pace;
mod prefix;
mod subject;
mod surge;

pub use bucket::{Gate, Rate, Rates};
pub use device::{Device, DeviceId, DeviceKeys};
pub use distinct::Distinct;
pub use failures::{FailureChange, FailureKey, FailureKind, Failures};
pub use prefix::{Network, Networks};
pub use subject::{SignInName, Subject};
pub use surge::{Surge, SurgeTurn};
