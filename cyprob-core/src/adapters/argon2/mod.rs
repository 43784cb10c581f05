//! Password hashing: argon2id (RFC 9106) on a few threads of the lowest priority.
//!
//! A hash costs some 17 ms of a core and 19 MiB, so whoever may ask for one may
//! starve everyone else. Here the work never touches the async runtime's
//! threads, the queue is bounded and fair among address prefixes, and over the
//! bound the answer is [`HashError::Busy`](crate::ports::HashError::Busy) at
//! once. An unknown person costs the same work as a known one.

mod compute;
mod options;
mod params;
mod phc;
mod pool;
mod priority;
mod queue;

pub use options::Argon2Options;
pub use params::{HashParams, ParamsError};
pub use pool::Argon2Pool;

#[cfg(test)]
mod tests;
