//! The machine's own clock and random source.

mod never_back;

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::Timestamp;
use crate::ports::{Clock, Entropy};

pub use never_back::NeverBack;

/// The machine's clock, which never goes back while the process lives: see [`NeverBack`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that the others stand for"
    )]
    fn now(&self) -> Timestamp {
        static TIME: NeverBack = NeverBack::new();
        static BEGUN: OnceLock<Instant> = OnceLock::new();
        let begun = BEGUN.get_or_init(Instant::now);
        if let Some(time) = TIME.lately(begun.elapsed()) {
            return time;
        }
        let wall = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp::UNIX_EPOCH.after(since),
            Err(before) => Timestamp::UNIX_EPOCH.before(before.duration()),
        };
        TIME.time(wall, begun.elapsed())
    }
}

/// The kernel's random source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// Fills the slice.
    ///
    /// A kernel that gives no randomness ends the process: there is no safe
    /// way to go on, and no caller could mend it.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the source that the others stand for"
    )]
    fn fill(&self, out: &mut [u8]) {
        if getrandom::fill(out).is_err() {
            std::process::abort();
        }
    }
}
