use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use stoop_pipeline::ports::PortError;

/// Why a call to AWS failed, in one line: the service's code and message, or what broke before a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    /// The service's error code, such as `ThrottlingException`; `None` without a readable response.
    pub(crate) code: Option<String>,
    message: String,
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
    R: fmt::Debug,
{
    if let SdkError::ServiceError(answer) = error
        && let Some(code) = answer.err().code()
    {
        return Reason { code: Some(code.to_owned()), message: answer.err().message().unwrap_or_default().to_owned() };
    }
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
    Reason { code: None, message }
}

/// Adds the action and its object: `.map_err(failed(|| "PutItem into the table stoop-alerts"))`.
pub(crate) fn failed<E, R, W>(what: impl FnOnce() -> W) -> impl FnOnce(SdkError<E, R>) -> PortError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: fmt::Debug,
    W: Into<String>,
{
    move |error| PortError::new(what(), reason(&error))
}
