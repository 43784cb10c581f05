//! SEC-3: credentials of a database are replaced under load, and no query fails.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cyprob_core::adapters::system::SystemEntropy;
use cyprob_secrets::adapters::postgres::{DatabaseCredentials, LivePool};
use cyprob_secrets::adapters::vault::{Vault, VaultDatabase};
use cyprob_secrets::service::LeaseKeeper;
use cyprob_secrets::testkit::fault_proxy::{Fault, FaultProxy};
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::task::JoinSet;

use super::faults::Row;
use crate::stand::{Stand, until, variable};

const CLIENTS: usize = 32;

/// A role of PostgreSQL that a Vault makes users of, and the pool of its administrator.
struct Database {
    stand: Stand,
    admin: PgPool,
}

impl Database {
    async fn new(ttl: &str, max_ttl: &str) -> Self {
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
            "revocation_statements": ["DROP ROLE IF EXISTS \"{{name}}\""],
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

    async fn keeper(&self, vault: &Vault) -> LeaseKeeper {
        let mount = format!("{}-db", self.stand.name).parse().unwrap();
        let source = VaultDatabase::new(vault.clone(), mount, "app".parse().unwrap());
        let clock = Arc::clone(&self.stand.clock);
        LeaseKeeper::start(Arc::new(source), clock, Arc::new(SystemEntropy))
            .await
            .unwrap()
    }

    async fn live(&self, keeper: &LeaseKeeper) -> LivePool {
        let place: PgConnectOptions = variable("CYPROB_POSTGRES").parse().unwrap();
        let place = place.application_name(&self.stand.name);
        let options = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(30));
        DatabaseCredentials::new(keeper.watch(), Arc::clone(&self.stand.clock))
            .feed(options, place)
            .await
            .unwrap()
    }

    /// Users that the role made and that are there yet, and their connections.
    async fn left(&self) -> (i64, i64) {
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

/// Clients that ask as fast as they can.
struct Load {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    run: AtomicU64,
    failed: Mutex<Vec<String>>,
    /// The longest that one took, in milliseconds.
    longest: AtomicU64,
}

impl Load {
    fn on(live: &LivePool, table: &str) -> Self {
        let (stop, counts) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(Counts::default()),
        );
        let mut tasks = JoinSet::new();
        for client in 0..CLIENTS {
            let (pool, stop, counts) =
                (live.pool().clone(), Arc::clone(&stop), Arc::clone(&counts));
            let table = table.to_owned();
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    if let Err(error) = ask(&pool, &table, client).await {
                        let failure = format!("client {client}: {error}");
                        counts.failed.lock().unwrap().push(failure);
                    }
                    counts.run.fetch_add(1, Ordering::Relaxed);
                    let took = u64::try_from(begun.elapsed().as_millis()).unwrap();
                    counts.longest.fetch_max(took, Ordering::Relaxed);
                }
            });
        }
        Self {
            tasks,
            stop,
            counts,
        }
    }

    async fn end(mut self) -> (u64, Vec<String>, u64) {
        self.stop.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let failed = std::mem::take(&mut *self.counts.failed.lock().unwrap());
        (read(&self.counts.run), failed, read(&self.counts.longest))
    }
}

/// A query, or for every fourth client a transaction of two that keeps its connection for a while.
async fn ask(pool: &PgPool, table: &str, client: usize) -> Result<(), sqlx::Error> {
    let select = format!("SELECT n FROM {table}");
    if !client.is_multiple_of(4) {
        let _: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(select))
            .fetch_one(pool)
            .await?;
        return Ok(());
    }
    let mut transaction = pool.begin().await?;
    let select = || sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(select.clone()));
    select().fetch_one(&mut *transaction).await?;
    tokio::time::sleep(Duration::from_millis(20)).await;
    select().fetch_one(&mut *transaction).await?;
    transaction.commit().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_3_twenty_rotations_fail_no_query_and_leave_nothing() {
    let database = Database::new("1h", "24h").await;
    let vault = database
        .stand
        .connect(database.stand.given())
        .await
        .unwrap();
    let keeper = database.keeper(&vault).await;
    let live = database.live(&keeper).await;
    let load = Load::on(&live, &format!("{}_t", database.stand.name));
    for rotation in 0..20 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let next = keeper.rotate().await.unwrap();
        assert_eq!(next.generation(), rotation + 2);
    }
    until("all but the last are taken back", || async {
        database.left().await == (1, 0)
    })
    .await;
    let (run, failed, longest) = load.end().await;
    println!(
        "SEC-3: 20 rotations, {CLIENTS} clients: {run} queries, {} failed, the longest {longest} ms; users left 1, connections of revoked users 0",
        failed.len()
    );
    assert!(failed.is_empty(), "{failed:?}");
    assert!(run > 2_000, "{run}");
    assert_eq!(live.generation(), 21);
    live.pool().close().await;
    keeper.close().await.unwrap();
    until("nothing is left", || async {
        database.left().await == (0, 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_3_an_outage_of_one_lease_period_fails_no_query() {
    let period = Duration::from_secs(8);
    let database = Database::new("8s", "1h").await;
    let proxy = FaultProxy::start(database.stand.admin.socket())
        .await
        .unwrap();
    let vault = Vault::builder(proxy.url().parse().unwrap()).login(database.stand.given());
    let vault = vault.timeout(Duration::from_millis(500));
    let vault = database.stand.open(vault).await.unwrap();
    let keeper = database.keeper(&vault).await;
    let live = database.live(&keeper).await;
    let load = Load::on(&live, &format!("{}_t", database.stand.name));
    tokio::time::sleep(Duration::from_secs(3)).await;
    // The server itself lives on, and takes the users back at the end of their lease.
    proxy.inject(Fault::Refuse);
    let begun = Instant::now();
    let mut waited = false;
    while begun.elapsed() < period {
        waited |= live.is_waiting();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(keeper.standing().failure.is_some());
    let before = load.counts.run.load(Ordering::Relaxed);
    proxy.heal();
    let healed = Instant::now();
    until("others are lent", || async { live.generation() > 1 }).await;
    until("queries go on", || async {
        load.counts.run.load(Ordering::Relaxed) > before + 100
    })
    .await;
    let recovered = healed.elapsed();
    // and twenty rotations after it
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        keeper.rotate().await.unwrap();
    }
    until("all but the last are taken back", || async {
        database.left().await == (1, 0)
    })
    .await;
    let (run, failed, longest) = load.end().await;
    println!(
        "SEC-3: Vault down for {} s, one lease period: {run} queries, {} failed, waited {waited}, the longest {longest} ms, recovered in {} ms",
        period.as_secs(),
        failed.len(),
        recovered.as_millis()
    );
    assert!(failed.is_empty(), "{failed:?}");
    assert!(
        waited,
        "the lease did not end in the outage: nothing was tried"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_revoked_under_us_heals_and_a_wrong_password_never_works() {
    let database = Database::new("4s", "1h").await;
    let vault = database
        .stand
        .connect(database.stand.given())
        .await
        .unwrap();
    let keeper = database.keeper(&vault).await;
    let live = database.live(&keeper).await;
    let held = keeper.current();
    let place: PgConnectOptions = variable("CYPROB_POSTGRES").parse().unwrap();
    let wrong = place.username(held.username()).password("wrong");
    let error = PgPoolOptions::new().connect_with(wrong).await.unwrap_err();
    assert!(error.to_string().contains("password"), "{error}");
    let revoke = json!({"lease_id": held.lease_id().as_str(), "sync": true});
    database
        .stand
        .admin
        .make("POST", "sys/leases/revoke", revoke);
    assert_eq!(database.left().await, (0, i64::from(live.pool().size())));
    // Queries fail until the next renewal says that the lease is gone.
    let revoked = Instant::now();
    let table = format!("{}_t", database.stand.name);
    let failed = ask(live.pool(), &table, 1).await;
    assert!(failed.is_err(), "the user is gone");
    until("others are lent", || async { live.generation() == 2 }).await;
    ask(live.pool(), &table, 1).await.unwrap();
    let row = Row {
        saw: "failed queries until the next renewal, then other credentials".to_owned(),
        recovery: revoked.elapsed(),
    };
    println!("{}", row.line("database: lease of 4 s revoked under us"));
    assert!(keeper.standing().failure.is_none());
    until("the connection of the revoked user is closed", || async {
        database.left().await == (1, 0)
    })
    .await;
}
