use serde::Serialize;

use super::ApiResponse;
use crate::ports::PortError;
use crate::serve::AreaError;
use crate::with_causes;

/// Why a request is not answered as it wished, in words for the one who made it.
#[derive(Debug)]
pub(super) struct ApiError {
    status: u16,
    code: &'static str,
    message: String,
    /// Single mistakes, nearest names, candidates: what a program would show as a list.
    details: Vec<String>,
    headers: Vec<(&'static str, &'static str)>,
}

#[derive(Serialize)]
struct Body<'e> {
    error: BodyError<'e>,
}

#[derive(Serialize)]
struct BodyError<'e> {
    code: &'static str,
    message: &'e str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    details: &'e [String],
}

impl ApiError {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new(), headers: Vec::new() }
    }

    pub(super) fn with(self, header: &'static str, value: &'static str) -> Self {
        let headers = [self.headers.as_slice(), &[(header, value)]].concat();
        Self { headers, ..self }
    }

    /// Every mistake in a request's parameters at once.
    pub(super) fn parameters(mistakes: Vec<String>) -> Self {
        let message = mistakes.join("; ");
        Self { details: mistakes, ..Self::new(400, "bad_parameters", message) }
    }

    /// Says nothing of what is inside; the log does.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = with_causes(error), "a request could not be answered");
        Self::new(500, "internal", "the answer could not be put together; asking again may help")
    }

    pub(super) fn response(&self) -> ApiResponse {
        let body = Body { error: BodyError { code: self.code, message: &self.message, details: &self.details } };
        let mut response = ApiResponse::json(self.status, serde_json::to_vec(&body).unwrap_or_default());
        response.headers.extend(self.headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        response
    }
}

impl From<PortError> for ApiError {
    fn from(error: PortError) -> Self {
        Self::internal(&error)
    }
}

impl From<AreaError> for ApiError {
    fn from(error: AreaError) -> Self {
        let message = error.to_string();
        match error {
            AreaError::NoSuchArea { nearest, .. } => {
                Self { details: nearest, ..Self::new(404, "no_such_area", message) }
            }
            AreaError::Ambiguous { candidates, .. } => {
                Self { details: candidates, ..Self::new(400, "ambiguous_area", message) }
            }
        }
    }
}
