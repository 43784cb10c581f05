//! A pool of PostgreSQL connections whose credentials are replaced under it.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use cyprob_secrets::adapters::postgres::DatabaseCredentials;
//! # use cyprob_secrets::service::LeaseKeeper;
//! # use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
//! # async fn f(keeper: LeaseKeeper, clock: Arc<dyn cyprob_core::ports::Clock>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let place = PgConnectOptions::new_without_pgpass().host("db.example").database("app");
//! let live = DatabaseCredentials::new(keeper.watch(), clock)
//!     .feed(PgPoolOptions::new().max_connections(32), place)
//!     .await?;
//! let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(live.pool()).await?;
//! # Ok(()) }
//! ```

mod draining;
mod feeding;
mod live_pool;
mod parking;
mod sql;
mod standing;
mod state;
mod watching;

pub use live_pool::{DatabaseCredentials, LivePool, LivePoolError};
