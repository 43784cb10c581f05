//! Query strings, read strictly.

use axum::extract::FromRequestParts;
use cyprob_core::domain::{Cursor, PageRequest};
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

/// What the API's description says of it.
impl utoipa::IntoParams for Paging {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let of = |name: &str, kind: Type, text: &str| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(text))
                .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
                .build()
        };
        vec![
            of(
                "limit",
                Type::Integer,
                "items at most, 1 to 100; 50 by default",
            ),
            of("cursor", Type::String, "`next_cursor` of the page before"),
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
