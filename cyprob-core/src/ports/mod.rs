//! The traits a host may implement.

mod breach_list;
mod clock;
mod entropy;
mod leadership;
mod notifier;
mod password_hasher;
mod revocation_feed;
mod role_rules;
pub mod store;

pub use breach_list::{BreachList, BreachListError};
pub use clock::Clock;
pub use entropy::{Entropy, EntropyExt};
pub use leadership::{Leadership, Term};
pub use notifier::{Notifier, NotifyError};
pub use password_hasher::{HashError, PasswordCheck, PasswordHasher};
pub use revocation_feed::{RevocationFeed, RevocationSource};
pub use role_rules::RoleRules;
