//! The OpenAPI document, from the same registrations as the routes.

use utoipa::__dev::SchemaReferences;
use utoipa::openapi::path::{
    HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, RefOr,
    Required, Response, Schema,
};

use super::inventory::Inventory;
use super::policy::RoutePolicy;
use super::problem::ProblemCode;
use super::router::{Endpoint, Method};

/// The media type of errors.
const PROBLEM: &str = "application/problem+json";

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
            .security_scheme("job_token", bearer("Biscuit"))
            .schema("Problem", problem());
        for route in &self.documented {
            let mut operation = route.operation.clone();
            operation.security = security(route.policy);
            let parameters = operation.parameters.get_or_insert_default();
            parameters.extend(names(&route.path).map(RefOr::T));
            let problem = Response::builder()
                .description("an error, by its `code`")
                .content(
                    PROBLEM,
                    Content::new(Some(Ref::from_schema_name("Problem"))),
                )
                .build();
            operation
                .responses
                .responses
                .insert("default".to_owned(), problem.into());
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

/// The names in a path.
fn names(path: &str) -> impl Iterator<Item = Parameter> {
    let named = path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.strip_prefix('*').unwrap_or(name))
    });
    named.map(|name| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
            .build()
    })
}

/// The form of every error (RFC 9457).
fn problem() -> RefOr<Schema> {
    let mut object = ObjectBuilder::new();
    for name in ["type", "title", "detail", "request_id"] {
        object = object
            .property(name, ObjectBuilder::new().schema_type(Type::String).build())
            .required(name);
    }
    let codes = ProblemCode::ALL.iter().map(|code| code.as_str());
    let code = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(codes));
    object
        .property(
            "status",
            ObjectBuilder::new().schema_type(Type::Integer).build(),
        )
        .required("status")
        .property("code", code.build())
        .required("code")
        .property(
            "field",
            ObjectBuilder::new().schema_type(Type::String).build(),
        )
        .property(
            "reason",
            ObjectBuilder::new().schema_type(Type::String).build(),
        )
        .into()
}

fn security(policy: RoutePolicy) -> Option<Vec<SecurityRequirement>> {
    let scopes: Vec<&str> = policy.permission().into_iter().collect();
    let scheme = match policy {
        // the empty list says that none is needed
        RoutePolicy::Public => return Some(Vec::new()),
        RoutePolicy::Worker => "job_token",
        RoutePolicy::Authenticated { .. }
        | RoutePolicy::Org { .. }
        | RoutePolicy::Objects { .. }
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
