//! How a database is reached, and why it is not.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::ports::store::BoxError;

/// The schema that holds every table of ours.
pub(super) const SCHEMA: &str = "cyprob";

/// A database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address is none of a PostgreSQL database.
    #[error(
        "not the address of a PostgreSQL database: postgres://ROLE[:PASSWORD]@HOST[:PORT]/DATABASE"
    )]
    Address,
    /// The database did not answer, or refused the role.
    #[error("cannot reach the database")]
    Unavailable {
        /// Why.
        #[source]
        source: BoxError,
    },
    /// The tables are not there or older than this version needs.
    #[error(
        "the database has schema {found} of {component}, and this version needs {needed}: run the migrations as the role that owns the tables"
    )]
    Older {
        /// Whose tables.
        component: &'static str,
        /// The schema found; 0 for none.
        found: i64,
        /// The schema needed.
        needed: i64,
    },
    /// A newer version of this software has written them.
    #[error(
        "the database has schema {found} of {component}, newer than {known}, the newest this version knows; use the newer version"
    )]
    Newer {
        /// Whose tables.
        component: &'static str,
        /// The schema found.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// A schema was changed after its release, or a migration failed.
    #[error("the schema of {component} cannot be brought up to date")]
    Migration {
        /// Whose tables.
        component: &'static str,
        /// What the migration said.
        #[source]
        source: BoxError,
    },
}

impl OpenError {
    pub(super) fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable {
            source: source.into(),
        }
    }
}

/// How a database is reached.
#[derive(Clone)]
pub struct PostgresOptions {
    connect: PgConnectOptions,
    pub(super) connections: u32,
    pub(super) wait: Duration,
    pub(super) patience: Duration,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("host", &self.connect.get_host())
            .field("role", &self.connect.get_username())
            .field("database", &self.connect.get_database())
            .finish_non_exhaustive()
    }
}

impl PostgresOptions {
    /// Reads an address, `postgres://ROLE[:PASSWORD]@HOST[:PORT]/DATABASE`.
    ///
    /// `sslmode`, `sslrootcert`, `sslcert` and `sslkey` may follow as a query.
    ///
    /// # Errors
    ///
    /// [`OpenError::Address`], which does not repeat the address: it may hold a password.
    pub fn new(address: &SecretString) -> Result<Self, OpenError> {
        let address = address.expose_secret();
        if !address.starts_with("postgres://") && !address.starts_with("postgresql://") {
            return Err(OpenError::Address);
        }
        let connect = PgConnectOptions::from_str(address).map_err(|_| OpenError::Address)?;
        Ok(Self {
            connect,
            connections: 16,
            wait: Duration::from_millis(1_500),
            patience: Duration::from_secs(30),
        })
    }

    /// Sets the password, where the address has none.
    #[must_use]
    pub fn with_password(mut self, password: &SecretString) -> Self {
        self.connect = self.connect.password(password.expose_secret());
        self
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> &str {
        self.connect.get_username()
    }

    /// Sets the role, where the address has another one.
    #[must_use]
    pub fn with_role(mut self, role: &str) -> Self {
        self.connect = self.connect.username(role);
        self
    }

    /// Sets the database, where the address has another one.
    #[must_use]
    pub fn with_database(mut self, database: &str) -> Self {
        self.connect = self.connect.database(database);
        self
    }

    /// Sets where the server is reached.
    #[cfg(feature = "testkit")]
    pub(crate) fn through(mut self, host: &str, port: u16) -> Self {
        self.connect = self.connect.host(host).port(port);
        self
    }

    /// Sets how many connections are open at most, 2 to 1,000; 16 by default. The feed listens on one more.
    #[must_use]
    pub fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections.clamp(2, 1_000);
        self
    }

    /// Sets how long an operation that answers a request may take, waiting for a connection included; 1.5 seconds by default.
    #[must_use]
    pub const fn with_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Sets how long work across organizations may take, which no request waits for; 30 seconds by default.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    pub(crate) fn connect(&self) -> PgConnectOptions {
        self.connect
            .clone()
            .application_name("cyprob")
            .statement_cache_capacity(512)
            .options([
                ("search_path", SCHEMA),
                ("idle_in_transaction_session_timeout", "60000"),
                // Every statement finds its rows by keys: a plan made once is the plan.
                ("plan_cache_mode", "force_generic_plan"),
                // A statement by itself is a transaction as well, whatever the server's default is.
                ("default_transaction_isolation", "read committed"),
                // What lies between may forget a connection that is silent for some minutes.
                ("tcp_keepalives_idle", "60"),
                // Ends with the client: a statement is cancelled within the second.
                ("client_connection_check_interval", "1000"),
            ])
    }
}
