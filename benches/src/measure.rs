//! Two sides, measured in turns.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The medians of both sides, for one operation.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// Ours.
    pub ours: Duration,
    /// The peer's.
    pub peer: Duration,
}

impl Comparison {
    /// Ours in units of the peer's.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.ours.as_secs_f64() / self.peer.as_secs_f64()
    }
}

/// The head of the table that [`compare`] prints.
#[expect(clippy::print_stdout, reason = "the result is for people")]
pub fn heading() {
    println!(
        "{:<58} {:>12} {:>12} {:>8}",
        "name", "ours", "peer", "ratio"
    );
}

/// Measures both sides in turns and prints their medians and ratio.
///
/// In each of `rounds` rounds each side runs once, which side first changes
/// from round to round; one run is `operations` operations. A first round that
/// does not count warms both up.
pub fn compare(
    name: &str,
    rounds: u32,
    operations: u32,
    ours: impl FnMut(u32),
    peer: impl FnMut(u32),
) -> Comparison {
    in_turns(elapsed, name, rounds, operations, ours, peer)
}

/// The same of the time that the processors spent on this process, on all of its threads.
pub fn compare_processor_time(
    name: &str,
    rounds: u32,
    operations: u32,
    ours: impl FnMut(u32),
    peer: impl FnMut(u32),
) -> Comparison {
    in_turns(spent, name, rounds, operations, ours, peer)
}

#[expect(clippy::print_stdout, reason = "the result is for people")]
fn in_turns(
    clock: fn() -> Duration,
    name: &str,
    rounds: u32,
    operations: u32,
    mut ours: impl FnMut(u32),
    mut peer: impl FnMut(u32),
) -> Comparison {
    let timed = |work: &mut dyn FnMut(u32)| {
        let start = clock();
        work(operations);
        clock().saturating_sub(start) / operations
    };
    ours(operations);
    peer(operations);
    let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if round % 2 == 0 {
            our_times.push(timed(&mut ours));
            peer_times.push(timed(&mut peer));
        } else {
            peer_times.push(timed(&mut peer));
            our_times.push(timed(&mut ours));
        }
    }
    let found = Comparison {
        ours: median(our_times),
        peer: median(peer_times),
    };
    println!(
        "{name:<58} {:>12} {:>12} {:>8.3}",
        micros(found.ours),
        micros(found.peer),
        found.ratio()
    );
    found
}

/// A stopwatch that began with the first look at it.
#[expect(
    clippy::disallowed_methods,
    reason = "a stopwatch, not the time of day"
)]
fn elapsed() -> Duration {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    BEGUN.get_or_init(Instant::now).elapsed()
}

fn spent() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn micros(time: Duration) -> String {
    format!("{:.2} us", time.as_secs_f64() * 1e6)
}
