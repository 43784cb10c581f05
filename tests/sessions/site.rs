//! A deployment over each database, and clients of it in process.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use cyprob::core::adapters::argon2::{Argon2Options, Argon2Pool};
use cyprob::core::adapters::postgres::Component;
use cyprob::core::adapters::system::SystemEntropy;
use cyprob::core::ports::Clock;
use cyprob::core::service::Bootstrap;
use cyprob::core::testkit::postgres::{AUDITOR, Database, OWNER, RUNTIME, Template};
use cyprob::{
    Background, CheckMode, Clustered, ControlPlane, ControlPlaneBuilder, DeploymentKeys, Embedded,
    Ready, Roles, Stores,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Everybody's first password.
pub(crate) const PASSWORD: &str = "mossy lantern harbour";

/// The nodes of a deployment, and its founder's token.
pub(crate) struct Site {
    pub(crate) nodes: Vec<Router>,
    pub(crate) founder: String,
    /// Whether every node knows at once what another one ended.
    pub(crate) at_once: bool,
    background: Vec<Background>,
    _kept: Vec<Box<dyn Any>>,
}

/// What the nodes of a site have in common.
#[derive(Clone, Default)]
pub(crate) struct Ways {
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) check: CheckMode,
}

/// The other tables are made as an operator does.
static DATABASES: Template = Template::new(|| vec![Component::CORE]);

impl Site {
    pub(crate) async fn memory(ways: &Ways) -> Self {
        let keys = DeploymentKeys::ephemeral(&SystemEntropy);
        let stores = Stores::memory(Arc::new(SystemEntropy));
        let builder = ControlPlane::builder().stores(stores).keys(keys);
        Self::of(vec![builder], ways, Vec::new()).await
    }

    pub(crate) async fn sqlite(ways: &Ways) -> Self {
        // Where there is a file system in memory: nothing here is about power cuts.
        let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let home = home.unwrap();
        let embedded = Embedded::open(home.path()).await.unwrap();
        let builder = embedded.builder();
        Self::of(
            vec![builder],
            ways,
            vec![Box::new(embedded), Box::new(home)],
        )
        .await
    }

    /// As many nodes on one database.
    pub(crate) async fn postgres(nodes: usize, ways: &Ways) -> Self {
        let database: Database = DATABASES.database().await;
        let roles = Roles {
            runtime: RUNTIME,
            auditor: AUDITOR,
        };
        let owner = database.options().with_role(OWNER);
        Clustered::migrate(&owner, roles).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let (mut builders, mut kept) = (Vec::new(), Vec::<Box<dyn Any>>::new());
        for _ in 0..nodes {
            let node = Clustered::open(&database.options(), home.path()).await;
            let node = node.unwrap();
            builders.push(node.builder());
            kept.push(Box::new(node));
        }
        kept.push(Box::new(home));
        kept.push(Box::new(database));
        Self::of(builders, ways, kept).await
    }

    async fn of(
        builders: Vec<ControlPlaneBuilder<Ready>>,
        ways: &Ways,
        kept: Vec<Box<dyn Any>>,
    ) -> Self {
        let (mut nodes, mut background) = (Vec::new(), Vec::new());
        let mut founder = String::new();
        for mut builder in builders {
            let pool = Argon2Pool::start(Argon2Options::testing(), Arc::new(SystemEntropy));
            builder = builder.hasher(Arc::new(pool.unwrap())).check(ways.check);
            if let Some(clock) = &ways.clock {
                builder = builder.clock(Arc::clone(clock));
            }
            let plane = builder.build().await.unwrap();
            background.push(plane.start().await.unwrap());
            let (router, _) = cyprob::http::router(plane.clone()).unwrap();
            if let Bootstrap::Open(token) = plane.identity().arm_bootstrap().await.unwrap() {
                founder = found(&router, token.expose_secret()).await;
            }
            nodes.push(router);
        }
        Self {
            at_once: nodes.len() == 1 || ways.check == CheckMode::Strict,
            nodes,
            founder,
            background,
            _kept: kept,
        }
    }

    /// Invites a person and accepts; their id.
    pub(crate) async fn person(&self, email: &str) -> String {
        let node = self.nodes.first().unwrap();
        let founder = Some(self.founder.as_str());
        let body = json!({ "email": email, "role": "analyst" });
        let path = "/api/v1/orgs/acme/invitations";
        let made = expect(201, ask(node, "POST", path, founder, &body).await);
        let body = json!({ "token": made["token"], "name": "M", "password": PASSWORD });
        let path = "/api/v1/invitations/accept";
        let accepted = expect(201, ask(node, "POST", path, None, &body).await);
        text(&accepted["user"], "id")
    }

    pub(crate) async fn end(self) {
        for background in self.background {
            background.stop().await.unwrap();
        }
    }
}

async fn found(router: &Router, token: &str) -> String {
    let body = json!({
        "token": token, "email": "ada@example.com", "password": PASSWORD, "name": "Ada",
        "org": { "slug": "acme", "name": "Acme" },
    });
    expect(
        201,
        ask(router, "POST", "/api/v1/bootstrap", None, &body).await,
    );
    let signed_in = sign_in(router, "ada@example.com", PASSWORD).await;
    text(&expect(200, signed_in), "access_token")
}

pub(crate) async fn sign_in(router: &Router, email: &str, password: &str) -> (u16, Value) {
    let body = json!({ "email": email, "password": password });
    ask(router, "POST", "/api/v1/auth/login", None, &body).await
}

/// Asks a node; a body that is null is none.
pub(crate) async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &Value,
) -> (u16, Value) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = if body.is_null() {
        Body::empty()
    } else {
        request = request.header(header::CONTENT_TYPE, "application/json");
        Body::from(body.to_string())
    };
    let answer = router.clone().oneshot(request.body(body).unwrap()).await;
    let answer = answer.unwrap();
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[track_caller]
pub(crate) fn expect(status: u16, (found, body): (u16, Value)) -> Value {
    assert_eq!(found, status, "{body}");
    body
}

pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}
