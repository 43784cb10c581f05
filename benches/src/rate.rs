//! Operations per second of many clients.

use std::future::Future;
use std::time::{Duration, Instant};

/// The head of the table that [`rates`] prints.
#[expect(clippy::print_stdout, reason = "the result is for people")]
pub fn heading_of_rates() {
    println!(
        "{:<58} {:>12} {:>12} {:>8}",
        "name", "ours/s", "peer/s", "ratio"
    );
}

/// Measures both sides in turns and prints the medians of operations per second, and of the rounds' ratios.
///
/// Each side runs once in each of `rounds` rounds, for about `window`, and says
/// how many operations were done; which side is first changes from round to
/// round. A first round does not count. The ratio is taken within a round, for
/// a machine that is faster now than a minute ago is so for both sides.
#[expect(clippy::print_stdout, reason = "the result is for people")]
pub fn rates(
    name: &str,
    rounds: usize,
    window: Duration,
    mut ours: impl FnMut(Duration) -> u64,
    mut peer: impl FnMut(Duration) -> u64,
) -> f64 {
    rate(window, &mut ours);
    rate(window, &mut peer);
    let (mut our_rates, mut peer_rates) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if round % 2 == 0 {
            our_rates.push(rate(window, &mut ours));
            peer_rates.push(rate(window, &mut peer));
        } else {
            peer_rates.push(rate(window, &mut peer));
            our_rates.push(rate(window, &mut ours));
        }
    }
    let pairs = our_rates.iter().zip(&peer_rates);
    let ratio = median(pairs.map(|(ours, peer)| ours / peer).collect());
    let (ours, peer) = (median(our_rates), median(peer_rates));
    println!("{name:<58} {ours:>12.1} {peer:>12.1} {ratio:>8.3}");
    ratio
}

#[expect(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch, and counts far below 2^52"
)]
fn rate(window: Duration, work: &mut impl FnMut(Duration) -> u64) -> f64 {
    let start = Instant::now();
    work(window) as f64 / start.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

/// How many operations these clients did within the window, each one after another.
///
/// # Panics
///
/// If a client does.
#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
pub async fn clients<C: Client>(window: Duration, clients: impl Iterator<Item = C>) -> u64 {
    let end = Instant::now() + window;
    let start = |mut client: C| {
        tokio::spawn(async move {
            let mut done = 0;
            while Instant::now() < end {
                client.act().await;
                done += 1;
            }
            done
        })
    };
    let running: Vec<_> = clients.map(start).collect();
    let mut done = 0;
    for client in running {
        done += client.await.expect("a client ends");
    }
    done
}

/// Does one operation after another.
pub trait Client: Send + 'static {
    /// One operation.
    fn act(&mut self) -> impl Future<Output = ()> + Send;
}
