//! Query strings, read strictly.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use cyprob_audit::domain::EntryFilter;
use cyprob_authz::domain::Permission;
use cyprob_core::domain::audit::Outcome;
use cyprob_core::domain::{Cursor, PageRequest};
use cyprob_plugins::domain::PluginId;
use http::request::Parts;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::ApiError;

/// The decoded pairs of a query string; a name given twice is refused.
pub(crate) fn pairs(parts: &Parts) -> Result<Vec<(String, String)>, ApiError> {
    let pairs: Vec<(String, String)> = axum::extract::Query::try_from_uri(&parts.uri)
        .map(|axum::extract::Query(pairs)| pairs)
        .map_err(|_| ApiError::InvalidField {
            field: "query".to_owned(),
            reason: "is not a query string".to_owned(),
        })?;
    for (n, (name, _)) in pairs.iter().enumerate() {
        if pairs.iter().take(n).any(|(other, _)| other == name) {
            let reason = "is given twice".to_owned();
            return Err(ApiError::InvalidField {
                field: name.clone(),
                reason,
            });
        }
    }
    Ok(pairs)
}

/// `?limit=` and `?cursor=` of a list in the order of ids, and nothing else.
#[derive(Debug)]
pub(crate) struct Paging(pub(crate) PageRequest);

fn parameter(name: &str, kind: Type, text: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .build()
}

/// What the API's description says of it.
impl utoipa::IntoParams for Paging {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            parameter(
                "limit",
                Type::Integer,
                "items at most, 1 to 100; 50 by default",
            ),
            parameter("cursor", Type::String, "`next_cursor` of the page before"),
        ]
    }
}

impl Paging {
    /// Takes `limit` and `cursor` out of the pairs and leaves the rest.
    pub(crate) fn take(pairs: &mut Vec<(String, String)>) -> Result<Self, ApiError> {
        let mut limit = PageRequest::DEFAULT;
        let mut cursor = None;
        let mut rest = Vec::new();
        for (name, value) in pairs.drain(..) {
            match name.as_str() {
                "limit" => {
                    limit = value
                        .parse()
                        .ok()
                        .filter(|limit| (1..=PageRequest::MAX).contains(limit))
                        .ok_or_else(|| ApiError::InvalidField {
                            field: "limit".to_owned(),
                            reason: "must be a whole number from 1 to 100".to_owned(),
                        })?;
                }
                "cursor" => {
                    cursor = Some(
                        value
                            .parse::<Cursor>()
                            .map_err(|_| ApiError::InvalidCursor)?,
                    );
                }
                _ => rest.push((name, value)),
            }
        }
        *pairs = rest;
        Ok(Self(PageRequest::new(limit, cursor)))
    }
}

/// Refuses what no one has taken.
pub(crate) fn none_left(pairs: &[(String, String)]) -> Result<(), ApiError> {
    match pairs.first() {
        None => Ok(()),
        Some((name, _)) => Err(ApiError::UnknownField(name.chars().take(60).collect())),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut pairs = pairs(parts)?;
        let paging = Self::take(&mut pairs)?;
        none_left(&pairs)?;
        match paging.0.after() {
            Some(id) if id.len() != 16 => Err(ApiError::InvalidCursor),
            _ => Ok(paging),
        }
    }
}

/// A list in the order of ids, with `?permission=` of those alone who have one.
#[derive(Debug)]
pub(crate) struct HolderPaging {
    pub(crate) page: PageRequest,
    pub(crate) permission: Option<Permission>,
}

impl<S: Send + Sync> FromRequestParts<S> for HolderPaging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut pairs = pairs(parts)?;
        let Paging(page) = Paging::take(&mut pairs)?;
        let mut permission = None;
        for (name, value) in pairs {
            match name.as_str() {
                "permission" => {
                    permission = parsed("permission", &value, "is no permission of the catalogue")?;
                }
                _ => none_left(&[(name, value)])?,
            }
        }
        match page.after() {
            Some(id) if id.len() != 16 => Err(ApiError::InvalidCursor),
            _ => Ok(Self { page, permission }),
        }
    }
}

impl utoipa::IntoParams for HolderPaging {
    fn into_params(of: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = Paging::into_params(of);
        let text = "only those who have this permission, such as `runs:create`, each with `when`";
        all.push(parameter("permission", Type::String, text));
        all
    }
}

/// `?from=&to=&actor=&action=&outcome=` and the page of an audit log.
#[derive(Debug)]
pub(crate) struct AuditQuery {
    pub(crate) filter: EntryFilter,
    pub(crate) page: PageRequest,
}

fn parsed<T: FromStr>(field: &str, text: &str, reason: &str) -> Result<Option<T>, ApiError> {
    text.parse()
        .map(Some)
        .map_err(|_| ApiError::field(field, reason))
}

impl<S: Send + Sync> FromRequestParts<S> for AuditQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut pairs = pairs(parts)?;
        let Paging(page) = Paging::take(&mut pairs)?;
        let mut filter = EntryFilter::default();
        for (name, value) in pairs {
            let time = "is no RFC 3339 time";
            match name.as_str() {
                "from" => filter.from = parsed("from", &value, time)?,
                "to" => filter.to = parsed("to", &value, time)?,
                // PostgreSQL takes no NUL in a text.
                "actor" if value.len() <= 100 && !value.chars().any(char::is_control) => {
                    filter.actor = Some(value)
                }
                "actor" => return Err(ApiError::field("actor", "is no id")),
                "action" => {
                    filter.action = parsed("action", &value, "is no action of the catalogue")?
                }
                "outcome" => {
                    filter.outcome = match value.as_str() {
                        "success" => Some(Outcome::Success),
                        "denied" => Some(Outcome::Denied),
                        "failure" => Some(Outcome::Failure),
                        _ => {
                            return Err(ApiError::field(
                                "outcome",
                                "is success, denied or failure",
                            ));
                        }
                    }
                }
                _ => none_left(&[(name, value)])?,
            }
        }
        Ok(Self { filter, page })
    }
}

impl utoipa::IntoParams for AuditQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = Paging::into_params(|| None);
        for (name, text) in [
            ("from", "not before this time (RFC 3339)"),
            ("to", "before this time (RFC 3339)"),
            ("actor", "the actor's id"),
            ("action", "the action's name"),
            ("outcome", "`success`, `denied` or `failure`"),
        ] {
            all.push(parameter(name, Type::String, text));
        }
        all
    }
}

/// `?format=` of an export.
#[derive(Debug)]
pub(crate) struct ExportQuery;

impl<S: Send + Sync> FromRequestParts<S> for ExportQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        for (name, value) in pairs(parts)? {
            match (name.as_str(), value.as_str()) {
                ("format", "jsonl") => {}
                ("format", _) => return Err(ApiError::field("format", "is jsonl")),
                _ => none_left(&[(name, value)])?,
            }
        }
        Ok(Self)
    }
}

impl utoipa::IntoParams for ExportQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("format", Type::String, "`jsonl`")]
    }
}

/// The page of a list in the order of plugin ids.
#[derive(Debug)]
pub(crate) struct PluginPaging(pub(crate) PageRequest);

impl<S: Send + Sync> FromRequestParts<S> for PluginPaging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut pairs = pairs(parts)?;
        let Paging(page) = Paging::take(&mut pairs)?;
        none_left(&pairs)?;
        let is_id = |bytes| {
            std::str::from_utf8(bytes)
                .ok()
                .and_then(PluginId::parse)
                .is_some()
        };
        match page.after() {
            Some(bytes) if !is_id(bytes) => Err(ApiError::InvalidCursor),
            _ => Ok(Self(page)),
        }
    }
}

impl utoipa::IntoParams for PluginPaging {
    fn into_params(of: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Paging::into_params(of)
    }
}

/// `?name=` of an uploaded plugin file.
#[derive(Debug)]
pub(crate) struct PluginName(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PluginName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut found = None;
        for (name, value) in pairs(parts)? {
            match name.as_str() {
                "name" => found = Some(value),
                _ => none_left(&[(name, value)])?,
            }
        }
        let name = found.ok_or_else(|| ApiError::field("name", "is missing"))?;
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            return Err(ApiError::field(
                "name",
                "is a file name of at most 255 bytes",
            ));
        }
        Ok(Self(name))
    }
}

impl utoipa::IntoParams for PluginName {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter(
            "name",
            Type::String,
            "the file's name; an id may derive from it",
        )]
    }
}
