use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use stoop_pipeline::ports::FailureKind;

/// The kind of a failed call: by the service's code, otherwise by the status, otherwise by what broke before a
/// response.
pub(crate) fn of_call<E, R>(error: &SdkError<E, R>) -> FailureKind
where
    E: ProvideErrorMetadata + Error + 'static,
    R: HasStatus + fmt::Debug,
{
    match error {
        SdkError::ServiceError(answer) => {
            let of_code = answer.err().code().and_then(of_code);
            of_code.unwrap_or_else(|| of_status(answer.raw().status()))
        }
        // The request could not be made, for example without a region.
        SdkError::ConstructionFailure(_) => FailureKind::Refused,
        SdkError::DispatchFailure(failure) => {
            let is_ours =
                failure.is_user() || failure.as_connector_error().is_some_and(|error| lacks_credentials(error));
            if is_ours { FailureKind::Refused } else { FailureKind::Unavailable }
        }
        // A time-out, or a response that broke off.
        _ => FailureKind::Unavailable,
    }
}

/// The kind that a code of a service has, of a call or of one entry of a batch. `None` for most refusals, whose codes
/// are many.
///
/// The codes are those that the API references and the SDK know for the calls of this crate. SQS puts
/// `AWS.SimpleQueueService.` before its own and `KMS.` before those of KMS.
pub(crate) fn of_code(code: &str) -> Option<FailureKind> {
    let code = code.rsplit('.').next().unwrap_or(code);
    let code = code.strip_suffix("Exception").unwrap_or(code);
    match code {
        // Also KMSThrottling, KmsThrottled and RequestThrottled.
        _ if code.contains("Throttl") => Some(FailureKind::Throttled),
        "ProvisionedThroughputExceeded"
        | "RequestLimitExceeded"
        | "TooManyRequests"
        | "LimitExceeded"
        | "BandwidthLimitExceeded"
        | "OverLimit"
        | "PriorRequestNotComplete"
        | "SlowDown" => Some(FailureKind::Throttled),
        // Also ResourceNotFound and KMSNotFound.
        _ if code.ends_with("NotFound") => Some(FailureKind::NotFound),
        "NoSuchBucket" | "NoSuchKey" | "NoSuchVersion" | "NonExistentQueue" | "QueueDoesNotExist" => {
            Some(FailureKind::NotFound)
        }
        "ItemCollectionSizeLimitExceeded" | "ServiceQuotaExceeded" => Some(FailureKind::Full),
        "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "ServiceUnavailable"
        | "RequestTimeout"
        // Another writer was faster.
        | "ConditionalCheckFailed"
        | "ConditionalRequestConflict"
        | "OperationAborted"
        | "PreconditionFailed"
        | "ReplicatedWriteConflict"
        | "TransactionConflict"
        | "TransactionInProgress" => Some(FailureKind::Unavailable),
        _ => None,
    }
}

fn of_status(status: u16) -> FailureKind {
    match status {
        404 => FailureKind::NotFound,
        429 => FailureKind::Throttled,
        // A success that reads as an error was cut off.
        408 | 200..=299 | 500.. => FailureKind::Unavailable,
        _ => FailureKind::Refused,
    }
}

/// Whether there are no credentials at all. Those that could not be fetched may come later.
fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    let is_ours = error.downcast_ref::<CredentialsError>().is_some_and(|error| {
        matches!(error, CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_))
    });
    is_ours || error.source().is_some_and(lacks_credentials)
}

/// A response with an HTTP status.
pub(crate) trait HasStatus {
    fn status(&self) -> u16;
}

impl HasStatus for HttpResponse {
    fn status(&self) -> u16 {
        HttpResponse::status(self).as_u16()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;
    use stoop_pipeline::ports::FailureKind::{Full, NotFound, Refused, Throttled, Unavailable};

    use super::*;
    use crate::error::{failed, reason};

    type CallError = SdkError<PutItemError, HttpResponse>;

    fn service(status: u16, code: Option<&str>) -> CallError {
        let mut metadata = ErrorMetadata::builder().message("as documented");
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        let status = StatusCode::try_from(status).expect("a status");
        SdkError::service_error(PutItemError::generic(metadata.build()), HttpResponse::new(status, SdkBody::empty()))
    }

    #[test]
    fn each_code_of_a_service_has_a_kind() {
        let by_code = [
            (400, "AccessDeniedException", Refused),
            (403, "AccessDenied", Refused),
            (403, "AuthorizationError", Refused),
            (400, "UnrecognizedClientException", Refused),
            (400, "IncompleteSignatureException", Refused),
            (403, "InvalidSignatureException", Refused),
            (403, "SignatureDoesNotMatch", Refused),
            (400, "ExpiredTokenException", Refused),
            (400, "ValidationException", Refused),
            (400, "InvalidArgumentException", Refused),
            (400, "InvalidParameterException", Refused),
            (400, "IdempotentParameterMismatchException", Refused),
            (400, "DecryptionFailure", Refused),
            (400, "KMSAccessDeniedException", Refused),
            (400, "KMS.DisabledException", Refused),
            (301, "PermanentRedirect", Refused),
            (403, "InvalidObjectState", Refused),
            (400, "ResourceNotFoundException", NotFound),
            (404, "NoSuchBucket", NotFound),
            (404, "NoSuchKey", NotFound),
            (404, "NotFound", NotFound),
            (400, "AWS.SimpleQueueService.NonExistentQueue", NotFound),
            (400, "QueueDoesNotExist", NotFound),
            (400, "KMS.NotFoundException", NotFound),
            (400, "ThrottlingException", Throttled),
            (400, "Throttling", Throttled),
            (400, "ProvisionedThroughputExceededException", Throttled),
            (400, "RequestLimitExceeded", Throttled),
            (400, "LimitExceededException", Throttled),
            (400, "KMSThrottlingException", Throttled),
            (400, "KmsThrottled", Throttled),
            (403, "RequestThrottled", Throttled),
            (400, "OverLimit", Throttled),
            (429, "TooManyRequestsException", Throttled),
            (503, "SlowDown", Throttled),
            (500, "InternalServerError", Unavailable),
            (500, "InternalServiceError", Unavailable),
            (503, "ServiceUnavailable", Unavailable),
            (503, "ServiceUnavailableException", Unavailable),
            (400, "RequestTimeout", Unavailable),
            (400, "TransactionConflictException", Unavailable),
            (400, "TransactionInProgressException", Unavailable),
            (409, "OperationAborted", Unavailable),
            (409, "ConditionalRequestConflict", Unavailable),
            (500, "SomethingNew", Unavailable),
            (400, "SomethingNew", Refused),
            (400, "ItemCollectionSizeLimitExceededException", Full),
        ];
        for (status, code, kind) in by_code {
            assert_eq!(of_call(&service(status, Some(code))), kind, "{status} {code}");
            assert_eq!(failed(|| "PutItem")(service(status, Some(code))).kind(), kind, "{status} {code}");
        }
    }

    #[test]
    fn what_has_no_code_has_a_kind_by_its_status_or_by_what_broke() {
        let by_status = [(400, Refused), (403, Refused), (404, NotFound), (408, Unavailable), (429, Throttled)];
        for (status, kind) in by_status.into_iter().chain([(500, Unavailable), (502, Unavailable), (200, Unavailable)])
        {
            assert_eq!(of_call(&service(status, None)), kind, "{status}");
        }
        let connector = |error: ConnectorError| CallError::dispatch_failure(error);
        let unset = CredentialsError::not_loaded("there are none");
        let broken = CredentialsError::provider_error("no route");
        let broken_off = HttpResponse::new(StatusCode::try_from(200).expect("a status"), SdkBody::empty());
        let by_what_broke = [
            (CallError::construction_failure("no region"), Refused),
            (CallError::timeout_error("slow"), Unavailable),
            (CallError::response_error("cut off", broken_off), Unavailable),
            (connector(ConnectorError::io("reset".into())), Unavailable),
            (connector(ConnectorError::timeout("slow".into())), Unavailable),
            (connector(ConnectorError::user("no such address".into())), Refused),
            (connector(ConnectorError::other(unset.into(), None)), Refused),
            (connector(ConnectorError::other(broken.into(), None)), Unavailable),
        ];
        for (error, kind) in by_what_broke {
            assert_eq!(of_call(&error), kind, "{}", reason(&error));
        }
    }
}
