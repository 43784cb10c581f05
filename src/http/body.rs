//! JSON request bodies, read strictly.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize as _, Zeroizing};

use super::ApiError;

/// Most bytes of a JSON body, where a route does not say otherwise.
pub(crate) const MAX_BODY: usize = 256 * 1024;

/// A JSON body: `application/json`, at most 256 KiB, no field that is not known.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S, T> FromRequest<S> for Body<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::UnsupportedMediaType("application/json"));
        }
        let bytes = read(request, MAX_BODY).await?;
        parse(&bytes).map(Self)
    }
}

/// The same for a body with a secret in it: its bytes are wiped once they are read.
///
/// What the connection itself buffered before is not within reach.
#[derive(Debug)]
pub(crate) struct SecretBody<T>(pub(crate) T);

impl<S, T> FromRequest<S> for SecretBody<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::UnsupportedMediaType("application/json"));
        }
        let declared = declared(&request, MAX_BODY)?;
        // Of the full size from the start: one that grows leaves its bytes behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(declared.unwrap_or(MAX_BODY)));
        let mut body = Limited::new(request.into_body(), MAX_BODY);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame
                .map_err(|error| broken(&*error, MAX_BODY))?
                .into_data()
            else {
                continue;
            };
            bytes.extend_from_slice(&data);
            if let Ok(mut whole) = data.try_into_mut() {
                whole.as_mut().zeroize();
            }
        }
        parse(&bytes).map(Self)
    }
}

/// No body at all, or white space: for routes that take none.
#[derive(Debug)]
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = read(request, MAX_BODY).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) || bytes.trim_ascii() == b"{}" {
            Ok(Self)
        } else {
            Err(ApiError::InvalidBody("this route takes no body".to_owned()))
        }
    }
}

/// The media type of a request, in lower case and without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default();
    Some(essence.trim().to_ascii_lowercase())
}

fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).as_deref() == Some("application/json")
}

/// Reads a whole body up to a bound; a declared length over it is refused unread.
pub(crate) async fn read(request: Request, limit: usize) -> Result<Bytes, ApiError> {
    declared(&request, limit)?;
    let body = Limited::new(request.into_body(), limit).collect().await;
    body.map(|body| body.to_bytes())
        .map_err(|error| broken(&*error, limit))
}

/// The declared length, which is within the bound.
fn declared(request: &Request, limit: usize) -> Result<Option<usize>, ApiError> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match declared.map(usize::try_from) {
        None => Ok(None),
        Some(Ok(length)) if length <= limit => Ok(Some(length)),
        Some(_) => Err(ApiError::TooLarge(limit)),
    }
}

/// Why a body was not read to its end.
fn broken(error: &(dyn Error + Send + Sync + 'static), limit: usize) -> ApiError {
    if error.is::<LengthLimitError>() {
        ApiError::TooLarge(limit)
    } else {
        ApiError::InvalidBody("the body ended early".to_owned())
    }
}

/// Reads a JSON text into a request; what is wrong is named by its path.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let Object(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        classify(&path, error.inner())
    })?;
    json.end()
        .map_err(|_| ApiError::InvalidBody("there is more after the JSON value".to_owned()))?;
    Ok(value)
}

/// Takes a value from a JSON object alone: serde would read a list as a struct's fields in order.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        from.deserialize_map(Fields(PhantomData))
    }
}

/// Tells a text that is no JSON from a field that is not known and from one that has a wrong value.
fn classify(path: &str, error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    if error.is_syntax() || error.is_eof() {
        return ApiError::InvalidBody(format!(
            "not JSON at line {}, column {}",
            error.line(),
            error.column()
        ));
    }
    let quoted = reason.split('`').nth(1).unwrap_or_default();
    let join = |name: &str| match path {
        "." | "" => name.to_owned(),
        parent if parent == name || parent.ends_with(&format!(".{name}")) => parent.to_owned(),
        parent => format!("{parent}.{name}"),
    };
    if reason.starts_with("unknown field") {
        ApiError::UnknownField(clip(&join(quoted)))
    } else if reason.starts_with("missing field") {
        ApiError::InvalidField {
            field: join(quoted),
            reason: "is missing".to_owned(),
        }
    } else if path == "." || path.is_empty() {
        ApiError::InvalidBody("not a JSON object of the expected form".to_owned())
    } else {
        ApiError::InvalidField {
            field: clip(path),
            reason: expected(reason),
        }
    }
}

/// What was expected, without the value that came: it may be a secret.
fn expected(reason: &str) -> String {
    if reason.starts_with("invalid type") || reason.starts_with("invalid value") {
        match reason.rsplit_once("expected ") {
            Some((_, wanted)) => format!("expected {wanted}"),
            None => "has a wrong type".to_owned(),
        }
    } else {
        clip(reason)
    }
}

fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its reading is tested")]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its reading is tested")]
        role: cyprob_core::domain::RoleName,
    }

    fn refused(text: &str) -> ApiError {
        parse::<Outer>(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn names_the_field_and_its_fault() {
        assert!(matches!(refused("{"), ApiError::InvalidBody(_)));
        assert!(matches!(refused("[1"), ApiError::InvalidBody(_)));
        assert!(matches!(refused("3"), ApiError::InvalidBody(_)));
        assert!(matches!(
            refused("{\"inner\":{\"role\":\"viewer\"}} x"),
            ApiError::InvalidBody(_)
        ));
        let ApiError::UnknownField(field) = refused("{\"inner\":{\"role\":\"viewer\",\"x\":1}}")
        else {
            panic!("expected an unknown field");
        };
        assert_eq!(field, "inner.x");
        let ApiError::InvalidField { field, .. } = refused("{\"inner\":{\"role\":\"Über\"}}")
        else {
            panic!("expected an invalid field");
        };
        assert_eq!(field, "inner.role");
        let ApiError::InvalidField { field, .. } = refused("{}") else {
            panic!("expected a missing field");
        };
        assert_eq!(field, "inner");
    }

    #[test]
    fn never_repeats_a_value() {
        let ApiError::InvalidField { reason, .. } = refused("{\"inner\":\"hunter2\"}") else {
            panic!("expected an invalid field");
        };
        assert!(!reason.contains("hunter2"), "{reason}");
    }
}
