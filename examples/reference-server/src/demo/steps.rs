//! Steps with their results, one line each.

use std::error::Error;
use std::time::Duration;

use cyprob::core::adapters::system::SystemClock;
use cyprob::core::ports::Clock as _;
use cyprob::error_chain;

use super::say;

/// The step that did not hold.
#[derive(Debug)]
pub(super) struct Failed(pub(super) &'static str);

/// What did not come out as it must.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unexpected(pub(super) String);

/// Counts and prints.
#[derive(Debug)]
pub(super) struct Steps {
    count: usize,
}

impl Steps {
    pub(super) fn new() -> Self {
        say("cyprob demo: the control plane, end to end, over HTTP\n");
        Self { count: 0 }
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Does a step and prints whether it held.
    pub(super) async fn check<T, E: Error>(
        &mut self,
        name: &'static str,
        claim: &str,
        step: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failed> {
        self.count += 1;
        let begun = SystemClock.now();
        let done = step.await;
        let took = milliseconds(SystemClock.now().since(begun));
        match done {
            Ok(value) => {
                say(&format!(
                    "[held]   {:>2} {name}: {claim} ({took} ms)",
                    self.count
                ));
                Ok(value)
            }
            Err(error) => {
                say(&format!("[FAILED] {:>2} {name}: {claim}", self.count));
                say(&format!("            {}", error_chain(&error)));
                Err(Failed(name))
            }
        }
    }

    /// More about the step before.
    pub(super) fn note(&self, text: &str) {
        say(&format!("            {text}"));
    }
}

fn milliseconds(took: Duration) -> u128 {
    took.as_millis()
}
