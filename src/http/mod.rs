//! The control plane's HTTP API, to mount in a host's server.
//!
//! ```
//! # async fn mounted(plane: cyprob::ControlPlane) -> Result<(), cyprob::authz::http::SealError> {
//! let (router, inventory) = cyprob::http::router(plane)?;
//! assert!(inventory.routes().iter().any(|route| route.path == "/api/v1/auth/login"));
//! # let _: axum::Router = router;
//! # Ok(())
//! # }
//! ```

mod accounts;
mod audit;
mod auth;
mod body;
mod console;
mod dto;
mod error;
mod export;
mod factor;
mod health;
mod keys;
mod late;
mod me;
mod members;
mod orgs;
mod path;
mod places;
mod plugins;
mod query;
mod recovery;
mod role_reviews;
mod roles;
mod runs;
mod secrets;
mod service_accounts;
mod state;
mod system;
mod table;
mod well_known;

use axum::Router;
use cyprob_authz::http::{Inventory, InventoryHandle, PublicRoutes, SealError, SecureRouter};

use crate::ControlPlane;

pub(crate) use error::ApiError;
pub(crate) use state::ApiState;

/// The whole list of public routes, one `METHOD PATH` a line.
pub const PUBLIC_ROUTES: &str = include_str!("public_routes.txt");

/// The list of public routes, read; a host that adds public routes of its own parses a longer text.
///
/// # Errors
///
/// [`SealError`] if a line of the list does not hold; tests hold that all do.
pub fn public_routes() -> Result<PublicRoutes, SealError> {
    PublicRoutes::parse(PUBLIC_ROUTES)
}

/// The sealed router of every route, with the inventory of what it serves.
///
/// # Errors
///
/// [`SealError`] if a route is not as its policy asks; tests hold that none is.
pub fn router(plane: ControlPlane) -> Result<(Router, Inventory), SealError> {
    routes(plane).seal(&public_routes()?)
}

/// The routes, not sealed yet, for a host that adds its own by `merge` and seals them together.
#[must_use]
pub fn routes(plane: ControlPlane) -> SecureRouter {
    let inventory = InventoryHandle::default();
    let access = std::sync::Arc::clone(plane.access());
    let state = ApiState::new(plane, inventory.clone());
    let own = table::routes(SecureRouter::new(std::sync::Arc::clone(&access), state));
    SecureRouter::new(access, ())
        .publish_inventory(inventory)
        .merge(own)
}
