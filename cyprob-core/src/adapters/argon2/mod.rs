//! argon2id behind a bounded pool of low-priority threads.
//!
//! Hashing is the one thing a stranger can make a server do that costs 20 MiB
//! and 17 ms. So it runs on threads of its own, as many as there are cores, at
//! the lowest scheduling priority; the queue before them is bounded and takes
//! turns among address prefixes; what does not fit is refused at once.

mod params;
mod phc;
mod pool;
mod queue;
mod worker;

pub use params::{HashParams, WeakParams};
pub use pool::{Argon2Options, Argon2Pool};

#[cfg(test)]
mod tests;
