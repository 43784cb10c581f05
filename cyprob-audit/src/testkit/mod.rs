//! Builders of whole logs, tampering, the properties of the verifier, and what every log store must do.

mod events;
mod log;
pub mod log_store;
mod properties;
mod tamper;

pub use events::{events, fixed_keys, sealed_leaves};
pub use log::TestLog;
pub use properties::{
    Distribution, aud_2_any_change_of_a_log_is_found, aud_2_any_change_of_a_proof_is_found,
};
pub use tamper::{ProofTamper, Tamper, proof_tampers, tampers};
