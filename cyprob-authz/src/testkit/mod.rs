//! Conformance suites, fakes, the Datalog oracle and the properties AUTHZ-1 to AUTHZ-4.
//!
//! Every property is a public function, named as its promise is; the number of
//! cases comes from `PROPTEST_CASES` (256 by default).

#![expect(clippy::expect_used, clippy::panic, reason = "a testkit fails loudly")]

mod at_once;
mod cost;
mod denials;
#[cfg(feature = "axum")]
mod enumeration;
mod genome;
pub mod key_custody;
mod narrow;
mod oracle;
mod policies;
mod properties;
mod revocations;
mod roles;
mod scenario;
mod search;
#[cfg(feature = "axum")]
mod snapshot;
mod stand;
mod stopwatch;
mod storm;

pub use at_once::at_once;
pub use cost::{Cost, authz_4_accepted_tokens_are_cheap};
pub use denials::{BrokenDenials, MemoryDenials};
#[cfg(feature = "axum")]
pub use enumeration::authz_1_every_cell_is_decided_as_declared;
pub use narrow::{Narrow, NarrowBlock, narrow, seal};
pub use oracle::{ObjectFacts, datalog_permits};
pub use policies::{circumstances, condition, grants};
pub use properties::{
    authz_2_compiled_decision_and_datalog_agree, authz_3_attenuation_never_widens,
};
pub use revocations::revocation_view_conforms;
pub use roles::MemoryRoles;
pub use scenario::{HeldRole, Scenario, narrowed, scenario};
pub use search::{Costly, Search, authz_4_search_for_cost};
#[cfg(feature = "axum")]
pub use snapshot::{BLESS, matrix_is_committed};
pub use stand::{AUDIENCE, Stand};
pub use storm::{Storm, authz_4_a_storm_costs_nobody_their_place};
