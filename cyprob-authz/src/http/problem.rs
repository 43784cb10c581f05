//! Errors as clients see them: `application/problem+json` (RFC 9457).

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use cyprob_core::domain::RequestId;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident $text:literal $status:ident $title:literal;)+) => {
        /// Why a request failed: stable, documented, and all that a client should act on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemCode {
            $($(#[$doc])+ $name,)+
        }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code's text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// The status that goes with it.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)+
                }
            }

            /// A short title for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)+
                }
            }
        }
    };
}

codes! {
    /// The account exists: sign in first.
    SignInRequired "sign_in_required" UNAUTHORIZED "Sign in first";
    /// The e-mail or the password is wrong.
    InvalidCredentials "invalid_credentials" UNAUTHORIZED "Invalid credentials";
    /// A second factor is needed.
    MfaRequired "mfa_required" UNAUTHORIZED "A second factor is required";
    /// The organization requires a second factor: set one up, then sign in.
    FactorRequired "factor_required" UNAUTHORIZED "The organization requires a second factor";
    /// Too many attempts.
    SlowDown "slow_down" TOO_MANY_REQUESTS "Too many requests";
    /// The server sheds load.
    Busy "busy" SERVICE_UNAVAILABLE "Busy";
    /// The refresh token is dead.
    InvalidGrant "invalid_grant" UNAUTHORIZED "Invalid refresh token";
    /// There is no token, or it is dead.
    InvalidToken "invalid_token" UNAUTHORIZED "Invalid access token";
    /// The sign-in is too old for this route.
    StepUpRequired "step_up_required" UNAUTHORIZED "A fresh sign-in is required";
    /// The caller may not.
    Forbidden "forbidden" FORBIDDEN "Forbidden";
    /// There is no such thing, or the caller may not learn of it.
    NotFound "not_found" NOT_FOUND "Not found";
    /// The path takes other methods.
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "Method not allowed";
    /// The thing is in another state.
    Conflict "conflict" CONFLICT "Conflict";
    /// This version has another content.
    VersionExists "version_exists" CONFLICT "The version exists";
    /// The body cannot be read.
    InvalidBody "invalid_body" BAD_REQUEST "Invalid body";
    /// The body has a field that is not known.
    UnknownField "unknown_field" UNPROCESSABLE_ENTITY "Unknown field";
    /// A field's value is not admitted.
    InvalidField "invalid_field" UNPROCESSABLE_ENTITY "Invalid field";
    /// The body is too large.
    TooLarge "too_large" PAYLOAD_TOO_LARGE "Too large";
    /// The body is of another kind.
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "Unsupported media type";
    /// The cursor is not one of ours.
    InvalidCursor "invalid_cursor" BAD_REQUEST "Invalid cursor";
    /// The plugin file does not load.
    InvalidPlugin "invalid_plugin" UNPROCESSABLE_ENTITY "Invalid plugin";
    /// The password is refused.
    WeakPassword "weak_password" UNPROCESSABLE_ENTITY "The password is too weak";
    /// The last owner stays.
    LastOwner "last_owner" CONFLICT "The last owner stays";
    /// The request took too long to come in, or to be answered.
    RequestTimeout "request_timeout" REQUEST_TIMEOUT "Request timeout";
    /// A part is unavailable.
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Unavailable";
    /// Something broke; the log has the cause.
    Internal "internal" INTERNAL_SERVER_ERROR "Internal error";
}

/// What a 429 or 503 says of when to come back, if nobody said otherwise.
const DEFAULT_RETRY: Duration = Duration::from_secs(1);

/// An error answer. It carries no cause: that goes to the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    code: ProblemCode,
    detail: Option<String>,
    retry_after: Option<Duration>,
    more: Map<String, Value>,
}

impl Problem {
    /// The answer of a code.
    #[must_use]
    pub fn new(code: ProblemCode) -> Self {
        Self {
            code,
            detail: None,
            retry_after: None,
            more: Map::new(),
        }
    }

    /// Says more to people. Never a cause, a secret, or text of another tenant.
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.detail = Some(text.into());
        self
    }

    /// Says when to come back; written in whole seconds, rounded up.
    #[must_use]
    pub const fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds a member of its own, such as `field`; the fixed members cannot be replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Its code.
    #[must_use]
    pub const fn code(&self) -> ProblemCode {
        self.code
    }

    /// The answer, with the request's id in it.
    pub(super) fn render(self, request_id: Option<RequestId>) -> Response {
        let mut body = self.more.clone();
        let status = self.code.status();
        let code = self.code.as_str();
        let detail = self
            .detail
            .clone()
            .unwrap_or_else(|| self.code.title().to_owned());
        body.insert("type".into(), format!("urn:cyprob:problem:{code}").into());
        body.insert("title".into(), self.code.title().into());
        body.insert("status".into(), status.as_u16().into());
        body.insert("detail".into(), detail.into());
        body.insert("code".into(), code.into());
        let id = request_id.map_or(Value::Null, |id| id.to_string().into());
        body.insert("request_id".into(), id);

        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            let after = self.retry_after.unwrap_or(DEFAULT_RETRY);
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        let text = Value::Object(body).to_string();
        let mut response = (status, headers, text).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ProblemCode> for Problem {
    fn from(code: ProblemCode) -> Self {
        Self::new(code)
    }
}

/// The router writes the request's id into it on the way out.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.render(None)
    }
}

impl IntoResponse for ProblemCode {
    fn into_response(self) -> Response {
        Problem::new(self).into_response()
    }
}

/// The problem that stands for a bare error status, where an answer is no problem by itself.
pub(super) fn of_status(status: StatusCode) -> ProblemCode {
    match status {
        StatusCode::UNAUTHORIZED => ProblemCode::InvalidToken,
        StatusCode::FORBIDDEN => ProblemCode::Forbidden,
        StatusCode::NOT_FOUND => ProblemCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ProblemCode::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => ProblemCode::RequestTimeout,
        StatusCode::CONFLICT => ProblemCode::Conflict,
        StatusCode::PAYLOAD_TOO_LARGE => ProblemCode::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemCode::UnsupportedMediaType,
        StatusCode::TOO_MANY_REQUESTS => ProblemCode::SlowDown,
        StatusCode::SERVICE_UNAVAILABLE => ProblemCode::Unavailable,
        StatusCode::UNPROCESSABLE_ENTITY => ProblemCode::InvalidField,
        other if other.is_client_error() => ProblemCode::InvalidBody,
        _ => ProblemCode::Internal,
    }
}
