//! A store in memory: for tests, demonstrations and as the plain reading of the ports.
//!
//! One lock makes each method one atomic step. Nothing outlives the process.

mod accesses;
mod accounts;
mod bootstrap;
mod emails;
mod failures;
mod invitations;
mod leadership;
mod members;
mod notices;
mod orgs;
mod outbox;
mod resets;
mod reviews;
mod revocations;
mod roles;
mod second_factors;
mod service_accounts;
mod sessions;
mod spent;
mod state;
mod store;
mod users;

pub use leadership::OnlyProcess;
pub use spent::MemorySpent;
pub use store::MemoryStore;
