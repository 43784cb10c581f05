//! Time as a port.

use std::fmt::Debug;

use crate::domain::Timestamp;

/// Tells the time.
///
/// A service reads it once per operation and passes the result down; ports and
/// adapters never read it.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}
