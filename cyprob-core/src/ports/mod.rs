//! The traits a host may implement.

mod clock;
mod entropy;
mod revocation_feed;
mod role_rules;

pub use clock::Clock;
pub use entropy::{Entropy, EntropyExt};
pub use revocation_feed::RevocationFeed;
pub use role_rules::RoleRules;
