//! The OpenAPI document, from the same registrations as the routes.

use utoipa::__dev::SchemaReferences;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, RefOr, Schema,
};

use super::inventory::Inventory;
use super::policy::RoutePolicy;
use super::router::{Endpoint, Method};

/// One route as the document shows it.
#[derive(Clone)]
pub(super) struct Documented {
    method: Method,
    path: String,
    policy: RoutePolicy,
    operation: Operation,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl std::fmt::Debug for Documented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}", self.method, self.path)
    }
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    /// Documents the route by what `#[utoipa::path]` made of its handler (`__path_NAME`).
    ///
    /// Method, path and `security` come from the registration, whatever the annotation says.
    #[must_use]
    pub fn operation<O: utoipa::Path + SchemaReferences>(mut self) -> Self {
        let mut schemas = Vec::new();
        O::schemas(&mut schemas);
        self.operation = Some(Documented {
            method: self.method,
            path: self.path.clone(),
            policy: self.policy,
            operation: O::operation(),
            schemas,
        });
        self
    }
}

pub(super) fn of<S>(endpoint: &Endpoint<S>) -> Documented {
    endpoint.operation.clone().unwrap_or_else(|| Documented {
        method: endpoint.method,
        path: endpoint.path.clone(),
        policy: endpoint.policy,
        operation: Operation::default(),
        schemas: Vec::new(),
    })
}

impl Inventory {
    /// The document of every route, with the `security` that its policy asks.
    #[must_use]
    pub fn openapi(&self, title: &str, version: &str) -> OpenApi {
        let mut paths = PathsBuilder::new();
        let bearer = |format: &str| {
            let scheme = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format(format);
            SecurityScheme::Http(scheme.build())
        };
        let mut components = ComponentsBuilder::new()
            .security_scheme("access_token", bearer("Biscuit"))
            .security_scheme("job_token", bearer("Biscuit"));
        for route in &self.documented {
            let mut operation = route.operation.clone();
            operation.security = security(route.policy);
            paths = paths.path(&route.path, PathItem::new(verb(route.method), operation));
            for (name, schema) in &route.schemas {
                components = components.schema(name, schema.clone());
            }
        }
        OpenApiBuilder::new()
            .info(InfoBuilder::new().title(title).version(version).build())
            .paths(paths.build())
            .components(Some(components.build()))
            .build()
    }
}

fn security(policy: RoutePolicy) -> Option<Vec<SecurityRequirement>> {
    let scopes: Vec<&str> = policy.permission().into_iter().collect();
    let scheme = match policy {
        // the empty list says that none is needed
        RoutePolicy::Public => return Some(Vec::new()),
        RoutePolicy::Worker => "job_token",
        RoutePolicy::Authenticated { .. }
        | RoutePolicy::Org { .. }
        | RoutePolicy::System { .. } => "access_token",
    };
    Some(vec![SecurityRequirement::new(scheme, scopes)])
}

const fn verb(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Put => HttpMethod::Put,
        Method::Patch => HttpMethod::Patch,
        Method::Delete => HttpMethod::Delete,
    }
}
