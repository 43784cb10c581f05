//! What a host runs against adapters of its own: conformance and properties.

mod block_on;
pub mod canary;
pub mod fault_proxy;
pub mod faults;
pub mod properties;
pub mod provider;
pub mod scripted;
pub mod store;
pub mod strategies;
#[cfg(test)]
mod tests;

pub use block_on::block_on;
