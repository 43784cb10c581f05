//! A database of which a Vault lends users.

use std::sync::Arc;
use std::time::Duration;

use cyprob_core::adapters::system::SystemEntropy;
use cyprob_secrets::adapters::postgres::{DatabaseCredentials, LivePool};
use cyprob_secrets::adapters::vault::{Vault, VaultDatabase};
use cyprob_secrets::domain::LeaseId;
use cyprob_secrets::ports::DynamicCredentials;
use cyprob_secrets::service::LeaseKeeper;
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::stand::{Stand, variable};

/// A role of PostgreSQL that a Vault makes users of, and the pool of its administrator.
pub(super) struct Database {
    pub(super) stand: Stand,
    admin: PgPool,
}

impl Database {
    pub(super) async fn new(ttl: &str, max_ttl: &str) -> Self {
        Self::revoked_by(ttl, max_ttl, &["DROP ROLE IF EXISTS \"{{name}}\""]).await
    }

    /// Users are taken back by these statements.
    pub(super) async fn revoked_by(ttl: &str, max_ttl: &str, revoke: &[&str]) -> Self {
        let stand = Stand::new();
        let url = variable("CYPROB_POSTGRES");
        let admin = PgPool::connect(&url).await.unwrap();
        let name = &stand.name;
        // Who belongs to this role must have the right password: see scripts/lib/servers.sh.
        let group = "DO $$ BEGIN CREATE ROLE cyprob_lent NOLOGIN; \
                     EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
        for statement in [
            group.to_owned(),
            format!("CREATE ROLE {name} NOLOGIN"),
            format!("CREATE TABLE {name}_t (n bigint)"),
            format!("INSERT INTO {name}_t VALUES (1)"),
            format!("GRANT SELECT, UPDATE ON {name}_t TO {name}"),
        ] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
                .execute(&admin)
                .await
                .unwrap();
        }
        let (_, place) = url.split_once('@').unwrap();
        stand.admin.make(
            "POST",
            &format!("sys/mounts/{name}-db"),
            json!({"type": "database"}),
        );
        let config = json!({
            "plugin_name": "postgresql-database-plugin",
            "allowed_roles": "app",
            "connection_url": format!("postgresql://{{{{username}}}}:{{{{password}}}}@{place}?sslmode=disable"),
            "username": "cyprob",
            "password": "not asked for",
        });
        stand
            .admin
            .make("POST", &format!("{name}-db/config/pg"), config);
        let create = format!(
            "CREATE ROLE \"{{{{name}}}}\" LOGIN PASSWORD '{{{{password}}}}' VALID UNTIL '{{{{expiration}}}}' IN ROLE {name}, cyprob_lent"
        );
        let role = json!({
            "db_name": "pg",
            "creation_statements": [create],
            "revocation_statements": revoke,
            "default_ttl": ttl,
            "max_ttl": max_ttl,
        });
        stand
            .admin
            .make("POST", &format!("{name}-db/roles/app"), role);
        stand.policy(&format!(
            "path \"{name}-db/creds/app\" {{ capabilities = [\"read\"] }}\n\
             path \"sys/leases/renew\" {{ capabilities = [\"update\"] }}\n\
             path \"sys/leases/revoke\" {{ capabilities = [\"update\"] }}\n"
        ));
        Self { stand, admin }
    }

    pub(super) async fn connect(&self) -> Vault {
        self.stand.connect(self.stand.given()).await.unwrap()
    }

    pub(super) fn source(&self, vault: &Vault) -> VaultDatabase {
        let mount = format!("{}-db", self.stand.name).parse().unwrap();
        VaultDatabase::new(vault.clone(), mount, "app".parse().unwrap())
    }

    pub(super) async fn keeper(&self, source: impl DynamicCredentials) -> LeaseKeeper {
        let clock = Arc::clone(&self.stand.clock);
        LeaseKeeper::start(Arc::new(source), clock, Arc::new(SystemEntropy))
            .await
            .unwrap()
    }

    pub(super) fn place(&self) -> PgConnectOptions {
        let place: PgConnectOptions = variable("CYPROB_POSTGRES").parse().unwrap();
        place.application_name(&self.stand.name)
    }

    pub(super) async fn live(&self, keeper: &LeaseKeeper) -> LivePool {
        self.live_at(keeper, self.place()).await
    }

    pub(super) async fn live_at(&self, keeper: &LeaseKeeper, place: PgConnectOptions) -> LivePool {
        let options = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(30));
        DatabaseCredentials::new(keeper.watch(), Arc::clone(&self.stand.clock))
            .feed(options, place)
            .await
            .unwrap()
    }

    /// What an operator does: the lease is revoked, and the user gone when it is answered.
    pub(super) async fn revoke(&self, lease: &LeaseId) {
        let revoke = json!({"lease_id": lease.as_str(), "sync": true});
        let admin = self.stand.admin.clone();
        let call = move || admin.make("POST", "sys/leases/revoke", revoke);
        tokio::task::spawn_blocking(call).await.unwrap();
    }

    pub(super) fn table(&self) -> String {
        format!("{}_t", self.stand.name)
    }

    /// Users that the role made and that are there yet, and their connections.
    pub(super) async fn left(&self) -> (i64, i64) {
        let users = "SELECT count(*) FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE g.rolname = $1";
        let connections = "SELECT count(*) FROM pg_stat_activity a WHERE a.application_name = $1 \
             AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = a.usesysid)";
        let users = sqlx::query_scalar(users).bind(&self.stand.name);
        (
            users.fetch_one(&self.admin).await.unwrap(),
            sqlx::query_scalar(connections)
                .bind(&self.stand.name)
                .fetch_one(&self.admin)
                .await
                .unwrap(),
        )
    }
}
