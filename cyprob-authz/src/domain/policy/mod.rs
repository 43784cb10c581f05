//! The policy of a deployment: roles, what they include, and what they permit under which conditions.
//!
//! The model only ever adds: a role permits what one of its grants permits, and
//! no rule takes away what another gave. So who can do what is found by looking
//! at each grant once, and a policy that gives more gives it in a place one can
//! point at. What takes away is the holder's narrowing of a token.
//!
//! A grant may count for some objects alone. A route that concerns objects admits
//! whoever has the permission of any, with the scope of those; any other route
//! never counts such a grant.

mod circumstances;
mod compare;
mod condition;
mod extent;
mod fault;
mod findings;
mod hours;
mod rights;
mod role;
mod space;

pub use circumstances::{Circumstances, Object};
pub use compare::{Change, Difference};
pub use condition::Condition;
pub use extent::Extent;
pub use fault::{Fault, FaultKind, PolicyError};
pub use findings::Findings;
pub use hours::{Hours, HoursError, Window};
pub use rights::{Grant, Rights};
pub(crate) use role::compile;
pub use role::{Placed, RoleSource};
