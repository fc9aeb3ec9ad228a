//! The api function: takes a request to the function URL and answers in JSON. [`stoop_pipeline::serve::api`] decides
//! the answer; this module converts.
//!
//! The event has AWS's HTTP payload format 2.0, so an HTTP API in front of the function works as well.
//!
//! The token is read when a request needs it, and read again when a request's token does not match: after a rotation
//! the new token works at once. The reader decides how long the old one is remembered.

use std::pin::Pin;
use std::time::Duration;

use aws_lambda_events::lambda_function_urls::{LambdaFunctionUrlRequest, LambdaFunctionUrlResponse};
use serde_json::value::RawValue;
use stoop_domain::Time;
use stoop_pipeline::ports::PortError;
use stoop_pipeline::serve::api::{Api, ApiRequest, ApiResponse, Token};
use stoop_pipeline::with_causes;

/// How recent a token must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recency {
    /// The remembered one.
    Remembered,
    /// Read again, because the remembered one did not match. Requested as often as somebody sends wrong tokens.
    Afresh,
}

/// Reads the API's token.
pub type ReadToken<'a> =
    Box<dyn Fn(Recency) -> Pin<Box<dyn Future<Output = Result<String, PortError>> + Send + 'a>> + Send + Sync + 'a>;

/// The function's ports.
pub struct App<'a> {
    api: Api<'a>,
    read_token: ReadToken<'a>,
}

/// Time of an invocation that is reserved to return the response.
const MARGIN_MS: i64 = 500;

impl<'a> App<'a> {
    /// Creates a function that answers from this API to clients with the token.
    #[must_use]
    pub fn new(api: Api<'a>, read_token: ReadToken<'a>) -> Self {
        Self { api, read_token }
    }

    /// Answers an event. Events that are not requests and requests that take too long get an answer, too.
    pub async fn handle(&self, event: &RawValue, now: Time, deadline: Time) -> LambdaFunctionUrlResponse {
        let event: LambdaFunctionUrlRequest = match serde_json::from_str(event.get()) {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "the event is not a request of a function URL");
                let message = "the event is not an HTTP request; accepted: payload format 2.0";
                return converted(ApiResponse::error(400, "bad_event", message));
            }
        };
        let request = request_of(&event);
        let left_ms = (deadline.ms() - now.ms()).saturating_sub(MARGIN_MS);
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        let response = match tokio::time::timeout(left, self.answer(request, now)).await {
            Ok(response) => response,
            Err(_) => {
                let message =
                    "the answer took too long; accepted: fewer days or a narrower area, or the same again later";
                ApiResponse::error(504, "too_slow", message)
            }
        };
        let ApiRequest { method, path, query, .. } = request;
        // A query that was not understood may hold anything, even the token.
        let query = if understood(response.status) { query } else { "" };
        tracing::info!(method, path, query, status = response.status, "answered");
        converted(response)
    }

    async fn answer(&self, request: ApiRequest<'_>, now: Time) -> ApiResponse {
        if request.is_open() {
            return self.api.answer(request, None, now).await;
        }
        let remembered = self.token(Recency::Remembered).await;
        let response = self.api.answer(request, remembered.as_ref(), now).await;
        if !matches!(response.status, 401 | 503) || request.authorization.is_none() {
            return response;
        }
        let fresh = self.token(Recency::Afresh).await;
        if fresh == remembered { response } else { self.api.answer(request, fresh.as_ref(), now).await }
    }

    /// The token; `None` if there is no usable one, which refuses every request.
    async fn token(&self, recency: Recency) -> Option<Token> {
        let text = match (self.read_token)(recency).await {
            Ok(text) => text,
            Err(error) => {
                tracing::error!(error = with_causes(&error), "the API's token cannot be read");
                return None;
            }
        };
        Token::parse(&text).inspect_err(|error| tracing::error!(%error, "the API refuses every request")).ok()
    }
}

fn understood(status: u16) -> bool {
    !matches!(status, 400..=499 | 503)
}

fn request_of(event: &LambdaFunctionUrlRequest) -> ApiRequest<'_> {
    let http = &event.request_context.http;
    let path = event.raw_path.as_deref().or(http.path.as_deref());
    ApiRequest {
        method: http.method.as_deref().unwrap_or_default(),
        path: path.unwrap_or_default(),
        query: event.raw_query_string.as_deref().unwrap_or_default(),
        // A non-ASCII value matches no token.
        authorization: event.headers.get("authorization").map(|value| value.to_str().unwrap_or_default()),
    }
}

fn converted(response: ApiResponse) -> LambdaFunctionUrlResponse {
    let mut converted = LambdaFunctionUrlResponse::default();
    converted.status_code = response.status.into();
    for (name, value) in response.headers {
        match value.parse() {
            Ok(value) => drop(converted.headers.insert(name, value)),
            Err(_) => tracing::error!(name, value, "a header that HTTP does not allow was left out"),
        }
    }
    converted.body = Some(String::from_utf8_lossy(&response.body).into_owned());
    converted
}

#[cfg(test)]
mod tests {
    use stoop_pipeline::serve::api::BODY_BYTES_MAX;

    use super::*;

    /// The largest response of a Lambda function, in bytes ("Lambda quotas", AWS Lambda Developer Guide: 6 MB, which is
    /// slightly more than 6 MiB).
    const RESPONSE_BYTES_MAX: usize = 6 * 1_024 * 1_024 + 100;

    #[test]
    fn the_largest_body_fits_into_a_lambda_response() {
        // A string in JSON inside a string in JSON: quotation marks and backslashes take the most bytes.
        for text in ["\"", "\\", "\u{1}", "\u{7f}", "\u{1f3e0}", "é", "a"] {
            let in_body = serde_json::to_string(text).unwrap().len() - 2;
            let body = serde_json::to_vec(&text.repeat((BODY_BYTES_MAX - 2) / in_body)).unwrap();
            assert!(BODY_BYTES_MAX - body.len() < in_body, "{text:?} fills it");
            let header = |n: usize| (["content-type", "cache-control", "x-a", "x-b"][n], "x".repeat(256));
            let response = ApiResponse { status: 200, headers: (0..4).map(header).collect(), body };
            let bytes = serde_json::to_vec(&converted(response)).unwrap().len();
            assert!(bytes <= RESPONSE_BYTES_MAX, "{text:?}: {bytes}");
        }
    }
}
