//! Conformance suites, fakes, the Datalog oracle and the properties AUTHZ-2 to AUTHZ-4.
//!
//! Every property is a public function, named as its promise is; the number of
//! cases comes from `PROPTEST_CASES` (256 by default).

#![expect(clippy::expect_used, reason = "a testkit fails loudly")]

mod cost;
mod denials;
mod narrow;
mod oracle;
mod properties;
mod revocations;
mod roles;
mod scenario;
mod stand;

pub use cost::{Cost, authz_4_accepted_tokens_are_cheap};
pub use denials::{BrokenDenials, MemoryDenials};
pub use narrow::{Narrow, NarrowBlock, narrow, seal};
pub use oracle::datalog_permits;
pub use properties::{
    authz_2_compiled_decision_and_datalog_agree, authz_3_attenuation_never_widens,
};
pub use revocations::revocation_view_conforms;
pub use roles::MemoryRoles;
pub use scenario::{HeldRole, Scenario, narrowed, scenario};
pub use stand::{AUDIENCE, Stand};
