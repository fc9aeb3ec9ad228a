use serde::Serialize;
use stoop_show::CsvError;

use super::ApiResponse;
use crate::{AreaError, NamedArea, ReadError};
use stoop_pipeline::ports::{FailureKind, PortError};
use stoop_pipeline::with_causes;

/// Why a request failed, in words for the client.
#[derive(Debug)]
pub(super) struct ApiError {
    status: u16,
    code: &'static str,
    message: String,
    /// Details that a program would show as a list: single mistakes, nearest names, candidates.
    details: Vec<String>,
    /// The areas to choose from, or the nearest known ones, with their names.
    areas: Vec<NamedArea>,
    headers: Vec<(&'static str, &'static str)>,
}

/// A problem (RFC 9457) with members of our own: `code`, `details`, `areas`.
#[derive(Serialize)]
struct Body<'e> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'e str,
    code: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    details: &'e [String],
    #[serde(skip_serializing_if = "<[NamedArea]>::is_empty")]
    areas: &'e [NamedArea],
}

impl ApiError {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new(), areas: Vec::new(), headers: Vec::new() }
    }

    pub(super) fn with(self, header: &'static str, value: &'static str) -> Self {
        let headers = [self.headers.as_slice(), &[(header, value)]].concat();
        Self { headers, ..self }
    }

    pub(super) fn with_details(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    /// All mistakes in a request's parameters at once.
    pub(super) fn parameters(mistakes: Vec<String>) -> Self {
        let message = mistakes.join("; ");
        Self { details: mistakes, ..Self::new(400, "bad_parameters", message) }
    }

    /// Hides the cause; the log has it.
    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let kind = FailureKind::of(error);
        let kind_name = kind.map(FailureKind::as_str);
        tracing::error!(error = with_causes(error), kind = kind_name, "a request could not be answered");
        let helps = match kind {
            Some(kind) if kind.may_pass() => "retrying may help",
            _ => "retrying does not help, and the server's log has the cause",
        };
        Self::new(500, "internal", format!("the response could not be built; {helps}"))
    }

    pub(super) fn response(&self) -> ApiResponse {
        let Self { status, code, message, details, areas, .. } = self;
        let (kind, title) = (format!("urn:stoop:problem:{code}"), title(*status));
        let body = Body { kind, title, status: *status, detail: message, code, details, areas };
        let mut response =
            ApiResponse::of(self.status, "application/problem+json", serde_json::to_vec(&body).unwrap_or_default());
        response.headers.extend(self.headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        response
    }
}

/// What a status means, in HTTP's words (RFC 9110, section 15).
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Internal Server Error",
    }
}

impl From<PortError> for ApiError {
    fn from(error: PortError) -> Self {
        Self::internal(&error)
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Port(error) => Self::from(error),
            ReadError::TooWide(too_wide) => Self::new(422, "area_too_wide", too_wide.to_string()),
        }
    }
}

impl From<CsvError> for ApiError {
    fn from(error: CsvError) -> Self {
        Self::internal(&error)
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<AreaError> for ApiError {
    fn from(error: AreaError) -> Self {
        let message = error.to_string();
        let (status, code, details, areas) = match error {
            AreaError::NoSuchArea { nearest, .. } => (404, "no_such_area", nearest, Vec::new()),
            AreaError::NoSuchTerm { .. } => (404, "no_such_area", Vec::new(), Vec::new()),
            AreaError::NotWatched { nearest, .. } => {
                (404, "no_such_area", paths(nearest.as_slice()), Vec::from_iter(nearest))
            }
            AreaError::Ambiguous { candidates, .. } => (400, "ambiguous_area", paths(&candidates), candidates),
        };
        Self { details, areas, ..Self::new(status, code, message) }
    }
}

fn paths(areas: &[NamedArea]) -> Vec<String> {
    areas.iter().map(|area| area.path.clone()).collect()
}
