//! What a failure of AWS's means, in words of our own.

use std::error::Error;

use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};

use crate::ports::Refusal;

/// What came in place of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is none, or it is about to be deleted.
    Absent,
    Refused(Refusal),
    Outage(Outage),
}

/// Why AWS could not be asked; it holds nothing of what was sent or came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Outage {
    #[error("no connection to the service, or none to the end of its answer")]
    Connection,
    #[error("the service took too long")]
    TooLate,
    #[error("the service asks for fewer requests")]
    Throttled,
    #[error("the service failed with status {0}")]
    Server(u16),
    #[error("the service's answer is not one to this question")]
    Answer,
    #[error("no credentials were found")]
    Credentials,
    #[error("credentials were found by AWS's own chain, and are not given")]
    Chain,
    #[error("the file of the web identity token cannot be read or holds no token")]
    TokenFile,
}

impl From<Outage> for Failure {
    fn from(outage: Outage) -> Self {
        Self::Outage(outage)
    }
}

/// Carries why there are no credentials through AWS's library.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no credentials are given")]
pub(super) struct IdentityFault(pub(super) Failure);

/// Says what an error of AWS's library means.
pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Failure
where
    E: Error + ProvideErrorMetadata + 'static,
{
    if let Some(IdentityFault(failure)) = within(error) {
        // A role that is not there is no secret that is not there.
        return match failure {
            Failure::Absent => Failure::Refused(Refusal::Denied),
            told => *told,
        };
    }
    match error {
        SdkError::TimeoutError(_) => Outage::TooLate.into(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Outage::TooLate.into(),
        // Before anything is sent: it has no credentials to sign with.
        SdkError::ConstructionFailure(_) => Outage::Credentials.into(),
        SdkError::ServiceError(told) => {
            let status = told.raw().status().as_u16();
            answered(told.err().code(), told.err().message(), status)
        }
        SdkError::ResponseError(_) => Outage::Answer.into(),
        _ => Outage::Connection.into(),
    }
}

fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a IdentityFault> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(fault) = error.downcast_ref() {
            return Some(fault);
        }
        next = error.source();
    }
    None
}

/// Says what an answer with this code, message and status means.
fn answered(code: Option<&str>, message: Option<&str>, status: u16) -> Failure {
    let deleted = message.is_some_and(|message| message.contains("marked"));
    match code.unwrap_or_default() {
        _ if status == 429 => Outage::Throttled.into(),
        _ if status >= 500 => Outage::Server(status).into(),
        "ResourceNotFoundException" => Failure::Absent,
        "InvalidRequestException" if deleted => Failure::Absent,
        "InvalidRequestException"
        | "InvalidParameterException"
        | "ValidationError"
        | "ValidationException" => Failure::Refused(Refusal::NotTaken),
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "LimitExceededException" => Outage::Throttled.into(),
        "InternalServiceError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "IDPCommunicationError" => Outage::Server(status).into(),
        "AccessDeniedException"
        | "AccessDenied"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "InvalidIdentityToken"
        | "IDPRejectedClaim"
        | "RegionDisabledException"
        | "OptInRequired"
        | "DecryptionFailure" => Failure::Refused(Refusal::Denied),
        // Said by nobody whom we know, but refused all the same.
        _ if matches!(status, 401 | 403) => Failure::Refused(Refusal::Denied),
        _ => Outage::Answer.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_absence_refusal_or_outage() {
        let denied = Failure::Refused(Refusal::Denied);
        let marked = "because it was marked for deletion";
        for (code, message, status, expected) in [
            ("ResourceNotFoundException", "", 400, Failure::Absent),
            ("InvalidRequestException", marked, 400, Failure::Absent),
            (
                "InvalidRequestException",
                "managed by another service",
                400,
                Failure::Refused(Refusal::NotTaken),
            ),
            (
                "InvalidParameterException",
                marked,
                400,
                Failure::Refused(Refusal::NotTaken),
            ),
            ("AccessDeniedException", "", 400, denied),
            ("UnrecognizedClientException", "", 400, denied),
            ("ExpiredTokenException", "", 400, denied),
            ("RequestExpired", "", 400, denied),
            (
                "ValidationError",
                "",
                400,
                Failure::Refused(Refusal::NotTaken),
            ),
            ("DecryptionFailure", "", 400, denied),
            ("", "", 403, denied),
            ("", "", 401, denied),
            ("ThrottlingException", "", 400, Outage::Throttled.into()),
            ("", "", 429, Outage::Throttled.into()),
            ("InternalServiceError", "", 500, Outage::Server(500).into()),
            // A server that fails is not believed in anything else.
            (
                "ResourceNotFoundException",
                "",
                503,
                Outage::Server(503).into(),
            ),
            ("AccessDeniedException", "", 503, Outage::Server(503).into()),
            // Somebody in between, or the wrong server: no word about the secret.
            ("", "", 404, Outage::Answer.into()),
            ("", "", 400, Outage::Answer.into()),
            ("NewException", "", 400, Outage::Answer.into()),
        ] {
            let code = (!code.is_empty()).then_some(code);
            let told = answered(code, Some(message), status);
            assert_eq!(told, expected, "{code:?} {message:?} {status}");
        }
    }
}
