//! What lets all other work of the machine go before a hash.
//!
//! Two things, on Linux. The threads that hash run under the policy for idle
//! work ([`lower`]): what wakes on their core has it at once. The lowest
//! niceness would not be enough, since from 6.6 on a thread keeps its core until
//! its slice is over, even from a much nicer one.
//!
//! And while hashes run of which some had to wait for others, a thread of
//! ordinary priority wakes every tenth of a millisecond and sleeps again
//! ([`Ticks`]). The scheduler of those kernels (EEVDF) is fair to idle work too:
//! where two ordinary threads hand each other work on a core that a hash waits
//! for, it may pick the hash in between, and looks again only when something
//! wakes on that core or at its timer's next tick, up to 4 ms later. Meanwhile
//! the ordinary thread waits, though another core may be free. A thread that
//! wakes makes it look again. Without it the p99 of other routes under a flood
//! of logins was 5.4 ms, with it 2.6 to 3.8 (SQLite, a debug build; AUTH-3). A
//! sign-in by itself has no ticks: they move its hash about, which its time
//! would show (AUTH-1).

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How often the scheduler is made to look again while hashes wait for each other.
const PERIOD: Duration = Duration::from_micros(100);

/// How many hashes after the last that others waited for count as those of a flood.
pub(super) const AFTER_A_FLOOD: u32 = 1_000;

/// Puts the calling thread behind all other work of the machine.
pub(super) fn lower() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::unix::{
            NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
            thread_native_id,
        };
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        if let Err(error) = set_thread_priority_and_policy(
            thread_native_id(),
            thread_priority::ThreadPriority::Min,
            idle,
        ) {
            tracing::warn!(%error, "the hash pool's priority stays as it is");
        }
    }
}

/// A thread that wakes and sleeps as long as any hash runs, and waits else.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    /// How many more hashes count as those of a flood.
    left: u32,
    stopped: bool,
}

/// A hash that runs; it has ended when this is dropped.
#[derive(Debug)]
pub(super) struct Running<'a>(&'a Ticks);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

impl Ticks {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a hash runs, and whether others wait; none is counted long after the last that had to.
    pub(super) fn during(&self, others_wait: bool) -> Option<Running<'_>> {
        let mut state = self.lock();
        state.left = match others_wait {
            true => AFTER_A_FLOOD,
            false => state.left.checked_sub(1)?,
        };
        state.running += 1;
        if state.running == 1 {
            self.wake.notify_one();
        }
        Some(Running(self))
    }

    /// How many more hashes count as those of a flood.
    #[cfg(test)]
    pub(super) fn left(&self) -> u32 {
        self.lock().left
    }

    /// Ticks until [`stop`](Self::stop) is called.
    pub(super) fn serve(&self) {
        let mut state = self.lock();
        while !state.stopped {
            if state.running == 0 {
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            } else {
                drop(state);
                thread::sleep(PERIOD);
                state = self.lock();
            }
        }
    }

    /// Ends the thread.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.wake.notify_one();
    }
}
