//! Many sides, measured in turns.

use std::time::{Duration, Instant};

/// One side of a comparison: its name, and a turn of so many operations.
pub(crate) struct Side<'a> {
    name: &'static str,
    operations: u32,
    turn: Box<dyn FnMut(u32) + 'a>,
}

impl<'a> Side<'a> {
    /// A side of a turn that does as many operations as it is told.
    pub(crate) fn new(name: &'static str, operations: u32, turn: impl FnMut(u32) + 'a) -> Self {
        Self {
            name,
            operations,
            turn: Box::new(turn),
        }
    }

    /// A side that does one thing again and again, which must come out as true.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub(crate) fn repeating(
        name: &'static str,
        operations: u32,
        mut holds: impl FnMut() -> bool + 'a,
    ) -> Self {
        Self::new(name, operations, move |count| {
            for _ in 0..count {
                assert!(std::hint::black_box(holds()), "{name}");
            }
        })
    }

    #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
    fn timed(&mut self) -> Duration {
        let start = Instant::now();
        (self.turn)(self.operations);
        start.elapsed() / self.operations
    }
}

/// Ours against one peer: medians in microseconds, and the median of the rounds' ratios.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    /// The peer.
    pub(crate) peer: &'static str,
    /// Our median.
    pub(crate) ours: f64,
    /// The peer's.
    pub(crate) theirs: f64,
    /// Ours in units of the peer's, taken within a round.
    pub(crate) ratio: f64,
}

/// Measures the first side against all others.
///
/// In each of `rounds` rounds every side has one turn, and each round begins
/// with another side. A round before the first counts for nothing and warms up.
/// The ratio is taken within a round, for a machine that is faster now than a
/// moment ago is so for all sides.
pub(crate) fn in_turns<'a>(
    rounds: usize,
    mut ours: Side<'a>,
    mut peers: Vec<Side<'a>>,
) -> Vec<Comparison> {
    let mut sides = vec![&mut ours];
    sides.extend(&mut peers);
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); sides.len()];
    for round in 0..=rounds {
        let order = (0..sides.len()).map(|place| (place + round) % sides.len());
        for place in order.collect::<Vec<_>>() {
            let took = sides.get_mut(place).map(|side| side.timed());
            if let (Some(times), Some(took), 1..) = (times.get_mut(place), took, round) {
                times.push(took.as_secs_f64() * 1e6);
            }
        }
    }
    let Some((ours, others)) = times.split_first() else {
        return Vec::new();
    };
    let compared = |(peer, theirs): (&Side<'_>, &Vec<f64>)| Comparison {
        peer: peer.name,
        ours: median(ours.iter().copied()),
        theirs: median(theirs.iter().copied()),
        ratio: median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs)),
    };
    peers.iter().zip(others).map(compared).collect()
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
