//! How the pool is set up.

use std::fmt;
use std::thread;

use zeroize::Zeroizing;

use super::params::{HashParams, ParamsError};

/// How the pool is set up.
///
/// By default: today's parameters are [`HashParams::OWASP`], a thread for each
/// processor, 64 waiting in all and 16 of one address prefix.
///
/// Strangers, who show no device token, have half of the threads at most: a
/// flood of them leaves the other processors to those who are signed in.
#[derive(Clone)]
pub struct Argon2Options {
    pub(super) params: HashParams,
    pub(super) live: Vec<(HashParams, u32)>,
    pub(super) threads: usize,
    pub(super) waiting: usize,
    pub(super) waiting_per_prefix: usize,
    pub(super) identifier_key: Option<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for Argon2Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Options")
            .field("params", &self.params)
            .field("live", &self.live)
            .field("threads", &self.threads)
            .field("waiting", &self.waiting)
            .field("waiting_per_prefix", &self.waiting_per_prefix)
            .finish_non_exhaustive()
    }
}

impl Default for Argon2Options {
    fn default() -> Self {
        Self {
            params: HashParams::OWASP,
            live: Vec::new(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            waiting: 64,
            waiting_per_prefix: 16,
            identifier_key: None,
        }
    }
}

impl Argon2Options {
    /// The cheapest hashes there are. For tests alone: they protect nothing.
    #[cfg(feature = "testkit")]
    #[must_use]
    pub fn testing() -> Self {
        Self {
            params: HashParams::TESTING,
            ..Self::default()
        }
    }

    /// Sets what new hashes cost; stored ones of another cost are renewed at the next sign-in.
    ///
    /// # Errors
    ///
    /// [`ParamsError::TooWeak`].
    pub fn with_params(mut self, params: HashParams) -> Result<Self, ParamsError> {
        self.params = params.strong()?;
        Ok(self)
    }

    /// Says which parameters the stored hashes have, and how many of them each.
    ///
    /// The work for an unknown person is drawn from them, so that an account
    /// with old parameters does not stand out. Weights of zero are left out;
    /// with none left only today's are drawn.
    #[must_use]
    pub fn with_live(mut self, live: impl IntoIterator<Item = (HashParams, u32)>) -> Self {
        self.live = live.into_iter().filter(|(_, many)| *many > 0).collect();
        self
    }

    /// Sets the number of threads, 1 to 64.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.clamp(1, 64);
        self
    }

    /// Sets how many may wait, in all (1 to 4096) and of one address prefix (at least 1).
    #[must_use]
    pub fn with_waiting(mut self, all: usize, per_prefix: usize) -> Self {
        self.waiting = all.clamp(1, 4096);
        self.waiting_per_prefix = per_prefix.clamp(1, self.waiting);
        self
    }

    /// Sets the key that picks an unknown person's parameters, so that they stay the same over restarts.
    ///
    /// Without it the pool draws one when it starts.
    #[must_use]
    pub fn with_identifier_key(mut self, key: [u8; 32]) -> Self {
        self.identifier_key = Some(Zeroizing::new(key));
        self
    }
}
