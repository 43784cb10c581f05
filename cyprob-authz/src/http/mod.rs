//! The secure router: a handler's signature is the route's policy.
//!
//! A handler takes [`Auth`] first, and what it names ([`Public`],
//! [`Authenticated`], [`Org`], [`Objects`], [`System`], [`Worker`], any of them fresh by
//! [`StepUp`]) is checked before anything else of the request is read. What no
//! policy has answered becomes 403 at the outermost layer.

mod admission;
mod arrival;
mod auth;
mod bearer;
mod bodiless;
mod connection;
mod from_memory;
mod grant;
mod guard;
mod inventory;
mod layer;
mod matrix;
mod names;
#[cfg(feature = "openapi")]
mod openapi;
mod outermost;
mod paths;
mod policy;
mod problem;
mod request;
mod router;
mod seal;
mod snapshot;
mod standing;
mod streaming;

pub use auth::{Auth, AuthFirst};
pub use connection::{Connection, Ended};
pub use grant::SignedIn;
pub use inventory::{Inventory, InventoryHandle, RouteEntry};
pub use layer::{PolicyLayer, PolicyRoute, PolicyRoutes, PolicyService};
pub use matrix::{Expected, Matrix, MatrixRow, Place};
pub use names::PathNames;
pub use outermost::closed;
pub use policy::{
    Authenticated, Objects, Org, Policy, Public, RoutePolicy, StepUp, System, Worker,
};
pub use problem::{Problem, ProblemCode};
pub use request::ClientAddress;
pub use router::{DEFAULT_BODY_LIMIT, Endpoint, Method, SecureRouter};
pub use seal::{PublicRoutes, SealError};
pub use snapshot::{CellChange, MatrixChanges};

/// The permissions that handlers name: those within an organization, and those of the deployment's administrator with `System` before them.
pub mod perm {
    pub use crate::domain::org::*;
    pub use crate::domain::system::{
        AuditRead as SystemAuditRead, FactorsReset as SystemFactorsReset,
        KeysRead as SystemKeysRead, KeysWrite as SystemKeysWrite, OrgsRead as SystemOrgsRead,
        OrgsWrite as SystemOrgsWrite, RoutesRead as SystemRoutesRead,
        SessionsEnd as SystemSessionsEnd, SignInsReset as SystemSignInsReset,
        UsersRead as SystemUsersRead, UsersWrite as SystemUsersWrite,
    };
}
