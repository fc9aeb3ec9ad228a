use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use stoop_pipeline::ports::{FailureKind, PortError};

use crate::failure::{HasStatus, of_call, of_code};

/// Why a call to AWS failed, in one line: the service's code and message, or what broke before a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    /// The service's error code, such as `ThrottlingException`; `None` without a readable response.
    pub(crate) code: Option<String>,
    pub(crate) kind: FailureKind,
    message: String,
}

impl Reason {
    /// Why a service refused one entry of a batch; `otherwise` if its code does not say how.
    pub(crate) fn of_entry(code: &str, message: Option<&str>, otherwise: FailureKind) -> Self {
        let message = message.unwrap_or_default().to_owned();
        Self { code: Some(code.to_owned()), kind: of_code(code).unwrap_or(otherwise), message }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) if self.message.is_empty() => f.write_str(code),
            Some(code) => write!(f, "{code}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl Error for Reason {}

/// The compact form of an SDK error.
pub(crate) fn reason<E, R>(error: &SdkError<E, R>) -> Reason
where
    E: ProvideErrorMetadata + Error + 'static,
    R: HasStatus + fmt::Debug,
{
    if let SdkError::ServiceError(answer) = error
        && let Some(code) = answer.err().code()
    {
        let message = answer.err().message().unwrap_or_default().to_owned();
        return Reason { code: Some(code.to_owned()), kind: of_call(error), message };
    }
    let kind = of_call(error);
    // The kind ("dispatch failure") alone is too vague; operators can act on its causes.
    let mut message = match error {
        SdkError::ServiceError(_) => "an answer without an error code".to_owned(),
        other => other.to_string(),
    };
    let mut cause = match error {
        SdkError::ServiceError(answer) => Some(answer.err() as &(dyn Error + 'static)),
        other => other.source(),
    };
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    Reason { code: None, kind, message }
}

/// The failure of an action because of a reason.
pub(crate) fn because(what: impl Into<String>, reason: Reason) -> PortError {
    PortError::new(reason.kind, what, reason)
}

/// Adds the action and its object: `.map_err(failed(|| "PutItem into the table stoop-alerts"))`.
pub(crate) fn failed<E, R, W>(what: impl FnOnce() -> W) -> impl FnOnce(SdkError<E, R>) -> PortError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: HasStatus + fmt::Debug,
    W: Into<String>,
{
    move |error| because(what(), reason(&error))
}
