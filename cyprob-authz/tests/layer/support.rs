//! The same routes behind the secure router and behind a layer, and the same requests for both.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use cyprob_authz::domain::OrgClaims;
use cyprob_authz::http::{
    Auth, Authenticated, Endpoint, Inventory, Method, Org, Policy, PolicyLayer, PolicyRoute,
    PolicyRoutes, PolicyService, Public, PublicRoutes, SecureRouter, StepUp, System, Worker, perm,
};
use cyprob_authz::testkit::Stand;
use cyprob_core::domain::RoleName;
use cyprob_core::domain::audit::AuditEvent;
use http::header::{
    ALLOW, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{Extensions, HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tower::{Layer as _, Service, ServiceExt as _};

pub(crate) type Calls = Arc<AtomicUsize>;
pub(crate) type Read = Org<perm::RunsRead>;
pub(crate) type Create = Org<perm::RunsCreate>;
pub(crate) type Secret = StepUp<Org<perm::SecretsWrite>>;
pub(crate) type Orgs = System<perm::SystemOrgsRead>;
pub(crate) type Fresh = StepUp<Authenticated>;

pub(crate) const PUBLIC: &str = "GET /open\nPOST /files/{*rest}";

/// What each policy's handler answers.
pub(crate) async fn handled<P: Policy>(
    _: Auth<P>,
    State(calls): State<Calls>,
    body: Bytes,
) -> String {
    calls.fetch_add(1, Ordering::SeqCst);
    format!("{} {}", std::any::type_name::<P>(), body.len())
}

pub(crate) fn router(stand: &Stand, calls: &Calls) -> (Router, Inventory) {
    SecureRouter::new(Arc::clone(&stand.access), Arc::clone(calls))
        .get("/open", handled::<Public>)
        .post("/files/{*rest}", handled::<Public>)
        .get("/me", handled::<Authenticated>)
        .post("/me/password", handled::<Fresh>)
        .get("/orgs/{org}/runs", handled::<Read>)
        .add(Endpoint::new(Method::Post, "/orgs/{org}/runs", handled::<Create>).body_limit(1_000))
        .get("/orgs/{org}/runs/{id}", handled::<Read>)
        .put("/orgs/{org}/secrets/{name}", handled::<Secret>)
        .get("/system/orgs", handled::<Orgs>)
        .post("/worker/runs/{run}/result", handled::<Worker>)
        .seal(&PublicRoutes::parse(PUBLIC).unwrap())
        .unwrap()
}

pub(crate) fn policies(stand: &Stand) -> PolicyRoutes {
    PolicyLayer::routes(Arc::clone(&stand.access))
        .route::<Public>(Method::Get, "/open")
        .route::<Public>(Method::Post, "/files/{*rest}")
        .route::<Authenticated>(Method::Get, "/me")
        .route::<Fresh>(Method::Post, "/me/password")
        .route::<Read>(Method::Get, "/orgs/{org}/runs")
        .add(PolicyRoute::new::<Create>(Method::Post, "/orgs/{org}/runs").body_limit(1_000))
        .route::<Read>(Method::Get, "/orgs/{org}/runs/{id}")
        .route::<Secret>(Method::Put, "/orgs/{org}/secrets/{name}")
        .route::<Orgs>(Method::Get, "/system/orgs")
        .route::<Worker>(Method::Post, "/worker/runs/{run}/result")
}

/// The policies whose proof a request carries.
pub(crate) fn proofs(extensions: &Extensions) -> Vec<&'static str> {
    fn of<P: Policy>(extensions: &Extensions) -> Option<&'static str> {
        let proof = Auth::<P>::of(extensions);
        proof.is_ok().then(std::any::type_name::<P>)
    }
    [
        of::<Public>,
        of::<Authenticated>,
        of::<Fresh>,
        of::<Read>,
        of::<Create>,
        of::<Secret>,
        of::<Orgs>,
        of::<Worker>,
    ]
    .into_iter()
    .filter_map(|of| of(extensions))
    .collect()
}

/// A service that is no axum handler, and counts how often it is reached.
#[derive(Clone)]
pub(crate) struct Raw(pub(crate) Calls);

impl Service<Request<Body>> for Raw {
    type Response = Response<Full<Bytes>>;
    type Error = std::io::Error;
    type Future = std::pin::Pin<
        Box<dyn Future<Output = Result<Response<Full<Bytes>>, std::io::Error>> + Send>,
    >;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), std::io::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            // never without a proof, and of one policy alone
            let [policy] = proofs(&head.extensions)[..] else {
                panic!(
                    "{} {}: {:?}",
                    head.method,
                    head.uri,
                    proofs(&head.extensions)
                );
            };
            let length = match body.collect().await {
                Ok(body) => body.to_bytes().len(),
                Err(_) => return Err(std::io::Error::other("no body")),
            };
            let text = format!("{policy} {length}");
            Ok(Response::new(Full::new(Bytes::from(text))))
        })
    }
}

pub(crate) struct Both {
    pub(crate) stand: Stand,
    pub(crate) org: OrgClaims,
    router: Router,
    handled: Calls,
    pub(crate) layer: PolicyService,
    reached: Calls,
}

/// What a client sees, and what the trail is told.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) code: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: Option<String>,
    pub(crate) events: Vec<String>,
}

impl Both {
    pub(crate) fn new() -> Self {
        let stand = Stand::new(11);
        let (handled, reached) = (Calls::default(), Calls::default());
        let (router, inventory) = router(&stand, &handled);
        let (layer, listed) = policies(&stand)
            .seal(&PublicRoutes::parse(PUBLIC).unwrap())
            .unwrap();
        assert_eq!(listed.routes(), inventory.routes());
        let layer = layer.layer(Raw(Arc::clone(&reached)));
        let org = stand.org("acme", RoleName::OWNER);
        Self {
            stand,
            org,
            router,
            handled,
            layer,
            reached,
        }
    }

    pub(crate) fn token(&self, role: RoleName) -> String {
        let org = OrgClaims {
            role,
            ..self.org.clone()
        };
        self.stand.mint(&self.stand.claims(Some(org)))
    }

    /// Sends the same to both, and holds the answers to be the same.
    pub(crate) async fn same(&self, method: &str, path: &str, token: Option<&str>) -> Seen {
        self.same_with(method, path, token, "").await
    }

    pub(crate) async fn same_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> Seen {
        let request = || {
            let mut request = Request::builder().method(method).uri(path);
            if let Some(token) = token {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            if !body.is_empty() {
                request = request.header(CONTENT_LENGTH, body.len());
            }
            request.body(Body::from(body.to_owned())).unwrap()
        };
        let before = (self.handled(), self.reached());
        let one = self.seen(self.router.clone().oneshot(request())).await;
        let other = self.seen(self.layer.clone().oneshot(request())).await;
        assert_eq!(one, other, "{method} {path}");
        let after = (self.handled(), self.reached());
        assert_eq!(after.0 - before.0, after.1 - before.1, "{method} {path}");
        assert_eq!(after.0 > before.0, one.status == 200, "{method} {path}");
        one
    }

    fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }

    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    async fn seen(&self, answer: impl Future<Output = Result<Response<Body>, Infallible>>) -> Seen {
        let before = self.stand.denials.events().len();
        let (head, body) = answer.await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let json = serde_json::from_str::<serde_json::Value>(&text).ok();
        if let Some(json) = &json {
            let id = head.headers["x-request-id"].to_str().unwrap();
            assert_eq!(json["request_id"], id);
        }
        let events = self.stand.denials.events();
        Seen {
            status: head.status,
            code: json.map(|json| json["code"].as_str().unwrap().to_owned()),
            headers: told(&head.headers),
            text: (head.status == 200).then_some(text),
            events: events[before..].iter().map(told_of).collect(),
        }
    }
}

pub(crate) fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let names = [
        ALLOW.as_str(),
        RETRY_AFTER.as_str(),
        WWW_AUTHENTICATE.as_str(),
        "cache-control",
        "x-content-type-options",
    ];
    let value = |name: &str| {
        Some((
            name.to_owned(),
            headers.get(name)?.to_str().ok()?.to_owned(),
        ))
    };
    let mut all: Vec<_> = names.into_iter().filter_map(value).collect();
    let kind = headers.get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap());
    all.extend(
        kind.filter(|kind| kind.contains("problem"))
            .map(|kind| ("content-type".to_owned(), kind.to_owned())),
    );
    all
}

/// An event, but for its own id and its request's.
pub(crate) fn told_of(event: &AuditEvent) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        event.org,
        event.actor,
        event.action,
        event.resource,
        event.outcome,
        event.reason,
        event.metadata
    )
}
