//! A whole control plane over each database, with one person who signs in.

use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use cyprob::core::adapters::postgres::{Component, PostgresOptions};
use cyprob::core::testkit::postgres::{AUDITOR, Database, OWNER, RUNTIME, Template};
use cyprob::{Background, CheckMode, Clustered, ControlPlane, Embedded, Roles};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// The person of every benchmark.
pub const EMAIL: &str = "ada@acme.test";
/// Her password.
pub const PASSWORD: &str = "correct horse battery staple 7";

/// A control plane at work, its routes, and what it lives in.
#[derive(Debug)]
pub struct Host {
    /// Its parts.
    pub plane: ControlPlane,
    /// Its routes.
    pub router: Router,
    background: Background,
    opened: Opened,
    directory: TempDir,
}

#[derive(Debug)]
enum Opened {
    Sqlite(Embedded),
    Postgres(Clustered, Database),
}

/// The other tables are made as an operator does.
static DATABASES: Template = Template::new(|| vec![Component::CORE]);

/// A new database of the server that `CYPROB_POSTGRES` names, if it does, with core's tables.
///
/// # Panics
///
/// If the server does not wait for the disk at each commit: its figures would mean nothing.
pub async fn database() -> Option<Database> {
    std::env::var_os("CYPROB_POSTGRES")?;
    let database = DATABASES.database().await;
    let mut connection = database.superuser().await;
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let (value,): (String,) = sqlx::query_as("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut connection)
            .await
            .expect("a setting");
        assert_eq!(value, "on", "start PostgreSQL with {setting} = on");
    }
    Some(database)
}

impl Host {
    /// Over SQLite.
    ///
    /// # Panics
    ///
    /// If it cannot be set up.
    pub async fn sqlite(check: CheckMode) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let embedded = Embedded::open(directory.path()).await.expect("opened");
        let built = embedded.builder().check(check).build().await;
        Self::start(
            built.expect("composed"),
            Opened::Sqlite(embedded),
            directory,
        )
        .await
    }

    /// Over PostgreSQL, where there is one.
    ///
    /// # Panics
    ///
    /// If it cannot be set up.
    pub async fn postgres(check: CheckMode) -> Option<Self> {
        let database = database().await?;
        let roles = Roles {
            runtime: RUNTIME,
            auditor: AUDITOR,
        };
        let owner: PostgresOptions = database.options().with_role(OWNER);
        Clustered::migrate(&owner, roles).await.expect("migrated");
        let directory = tempfile::tempdir().expect("a directory");
        let node = Clustered::open(&database.options(), directory.path())
            .await
            .expect("opened");
        let built = node.builder().check(check).build().await;
        let opened = Opened::Postgres(node, database);
        Some(Self::start(built.expect("composed"), opened, directory).await)
    }

    async fn start(plane: ControlPlane, opened: Opened, directory: TempDir) -> Self {
        let background = plane.start().await.expect("started");
        let (router, _) = cyprob::http::router(plane.clone()).expect("sealed");
        let host = Self {
            plane,
            router,
            background,
            opened,
            directory,
        };
        host.found().await;
        host
    }

    async fn found(&self) {
        use cyprob::core::service::Bootstrap;
        let armed = self.plane.identity().arm_bootstrap().await.expect("armed");
        let Bootstrap::Open(token) = armed else {
            return;
        };
        let body = json!({
            "token": token.expose_secret(), "email": EMAIL, "password": PASSWORD, "name": "Ada",
            "org": { "slug": "acme", "name": "Acme" },
        });
        post(&self.router, "/api/v1/bootstrap", &body, 201).await;
    }

    /// Signs in as a client that is known, if it is.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub async fn sign_in(router: &Router, device: Option<&str>) -> Value {
        let body = json!({ "email": EMAIL, "password": PASSWORD, "device_token": device });
        post(router, "/api/v1/auth/login", &body, 200).await
    }

    /// Where its files lie.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends what runs beside the requests, and closes the database.
    ///
    /// # Panics
    ///
    /// If the end cannot be recorded.
    pub async fn end(self) {
        self.background.stop().await.expect("ended");
        drop((self.router, self.plane));
        match self.opened {
            Opened::Sqlite(embedded) => embedded.close().await,
            Opened::Postgres(node, database) => {
                node.close().await;
                drop(database);
            }
        }
        drop(self.directory);
    }
}

/// Posts JSON to a route, in process.
///
/// # Panics
///
/// If the answer is another one than expected.
pub async fn post(router: &Router, path: &str, body: &Value, status: u16) -> Value {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request");
    let answer = router.clone().oneshot(request).await.expect("an answer");
    let found = answer.status();
    let body = to_bytes(answer.into_body(), 64 << 10)
        .await
        .expect("a body");
    assert_eq!(found, status, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).expect("JSON")
}
