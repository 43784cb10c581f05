//! How much memory and how many connections requests may take.

use cyprob_authz::service::{CacheLimits, ConnectionLimits};

use super::ControlPlaneBuilder;

impl<State> ControlPlaneBuilder<State> {
    /// Sets how many bytes of verified tokens are remembered; 16 MiB by default.
    #[must_use]
    pub const fn token_cache(mut self, limits: CacheLimits) -> Self {
        self.options.token_cache = limits;
        self
    }

    /// Sets how many connections callers hold open at once; 16 each and 64 a person by default.
    #[must_use]
    pub const fn connections(mut self, limits: ConnectionLimits) -> Self {
        self.options.connections = limits;
        self
    }
}
