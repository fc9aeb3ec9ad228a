//! The api function: takes a request to the function URL and answers with a web page or in JSON. [`stoop_pages`] decides
//! the answer; this module converts.
//!
//! The event has AWS's HTTP payload format 2.0, so an HTTP API in front of the function works as well.
//!
//! The token is read when a request needs it, and read again when a request's token does not match: after a rotation
//! the new token works at once. The reader decides how long the old one is remembered.

use std::io::Write;
use std::pin::Pin;
use std::time::Duration;

use aws_lambda_events::lambda_function_urls::{LambdaFunctionUrlRequest, LambdaFunctionUrlResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::value::RawValue;
use stoop_domain::Time;
use stoop_pages::{Access, Tokens, Web, WebRequest};
use stoop_pipeline::ports::PortError;
use stoop_pipeline::with_causes;
use stoop_serve::api::ApiResponse;

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
pub struct ApiHandler<'a> {
    web: Web<'a>,
    read_token: ReadToken<'a>,
}

/// Time of an invocation that is reserved to return the response.
const MARGIN_MS: i64 = 500;
/// The times that pages show are multiples of this: how often an open page asks again.
const SHOWN_EVERY_MS: i64 = 15 * Time::SECOND_MS;
/// Smaller bodies are not compressed.
const COMPRESSED_FROM: usize = 1_024;

impl<'a> ApiHandler<'a> {
    /// Creates a function that answers clients with the token.
    #[must_use]
    pub fn new(web: Web<'a>, read_token: ReadToken<'a>) -> Self {
        Self { web, read_token }
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
        let parts = RequestParts::of(&event);
        let request = parts.request(&event);
        let left_ms = (deadline.ms() - now.ms()).saturating_sub(MARGIN_MS);
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
        let mut response = match tokio::time::timeout(left, self.answer(request, now)).await {
            Ok(response) => response,
            Err(_) => {
                let message =
                    "the answer took too long; accepted: fewer days or a narrower area, or the same again later";
                ApiResponse::error(504, "too_slow", message)
            }
        };
        let WebRequest { method, path, query, .. } = request;
        // A query that was not understood may hold anything, even the token.
        let query = if understood(response.status) { query } else { "" };
        tracing::info!(method, path, query, status = response.status, "answered");
        if header(&event, "accept-encoding").is_some_and(accepts_gzip) {
            compress(&mut response);
        }
        converted(response)
    }

    async fn answer(&self, request: WebRequest<'_>, now: Time) -> ApiResponse {
        // Pages that are asked for again within this time are the same, so that their tag matches.
        let shown = Time::from_ms(now.ms() - now.ms().rem_euclid(SHOWN_EVERY_MS));
        let shown = if request.is_of_api() { now } else { shown };
        if request.is_open() {
            return self.web.answer(request, Access::WithToken(None), now, Some(shown)).await;
        }
        let mut tokens = self.tokens(Recency::Remembered).await;
        let is_admitted = tokens.as_ref().is_some_and(|tokens| request.is_valid(tokens, now));
        if !is_admitted && request.presents_something() {
            tokens = self.tokens(Recency::Afresh).await;
        }
        self.web.answer(request, Access::WithToken(tokens.as_ref()), now, Some(shown)).await
    }

    /// The token; `None` if there is no usable one, which refuses every request.
    async fn tokens(&self, recency: Recency) -> Option<Tokens> {
        let text = match (self.read_token)(recency).await {
            Ok(text) => text,
            Err(error) => {
                let kind = error.kind().as_str();
                tracing::error!(error = with_causes(&error), kind, "the API's token cannot be read");
                return None;
            }
        };
        Tokens::of(&text).inspect_err(|error| tracing::error!(%error, "the API refuses every request")).ok()
    }
}

fn understood(status: u16) -> bool {
    !matches!(status, 400..=499 | 503)
}

/// The parts of a request that an event does not have as one text.
struct RequestParts {
    cookie: Option<String>,
    body: Vec<u8>,
}

impl RequestParts {
    fn of(event: &LambdaFunctionUrlRequest) -> Self {
        // The payload format takes cookies out of the headers; some emulators leave them there.
        let cookies = event.cookies.as_ref().filter(|cookies| !cookies.is_empty()).map(|cookies| cookies.join("; "));
        let cookie = cookies.or_else(|| header(event, "cookie").map(str::to_owned));
        let text = event.body.as_deref().unwrap_or_default();
        let body = match event.is_base64_encoded {
            // What is not base64 is no form.
            true => BASE64.decode(text).unwrap_or_default(),
            false => text.as_bytes().to_vec(),
        };
        Self { cookie, body }
    }

    fn request<'r>(&'r self, event: &'r LambdaFunctionUrlRequest) -> WebRequest<'r> {
        let http = &event.request_context.http;
        let path = event.raw_path.as_deref().or(http.path.as_deref());
        WebRequest {
            method: http.method.as_deref().unwrap_or_default(),
            path: path.unwrap_or_default(),
            query: event.raw_query_string.as_deref().unwrap_or_default(),
            host: header(event, "host"),
            authorization: header(event, "authorization"),
            cookie: self.cookie.as_deref(),
            origin: header(event, "origin"),
            fetch_site: header(event, "sec-fetch-site"),
            fetch_mode: header(event, "sec-fetch-mode"),
            accept: header(event, "accept"),
            if_none_match: header(event, "if-none-match"),
            body: &self.body,
            // A function URL has nothing else.
            is_https: true,
        }
    }
}

/// A header; an empty text if it is not ASCII, which matches nothing.
fn header<'e>(event: &'e LambdaFunctionUrlRequest, name: &str) -> Option<&'e str> {
    event.headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

/// Whether an `Accept-Encoding` lists gzip, and not with weight 0.
fn accepts_gzip(encodings: &str) -> bool {
    encodings.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), |weight| weight.trim().parse::<f64>());
        matches!(name.trim(), "gzip" | "*") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// Compresses a body that is worth it.
fn compress(response: &mut ApiResponse) {
    if response.body.len() < COMPRESSED_FROM {
        return;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let compressed = encoder.write_all(&response.body).and_then(|()| encoder.finish());
    match compressed {
        Ok(body) => {
            response.body = body;
            response.headers.push(("content-encoding", "gzip".to_owned()));
            vary_by_encoding(response);
        }
        Err(error) => tracing::warn!(%error, "a response was not compressed"),
    }
}

/// Adds to what the response already varies by.
fn vary_by_encoding(response: &mut ApiResponse) {
    match response.headers.iter_mut().find(|(name, _)| *name == "vary") {
        Some((_, known)) => known.push_str(", accept-encoding"),
        None => response.headers.push(("vary", "accept-encoding".to_owned())),
    }
}

fn converted(response: ApiResponse) -> LambdaFunctionUrlResponse {
    let mut converted = LambdaFunctionUrlResponse::default();
    converted.status_code = response.status.into();
    let is_compressed = response.headers.iter().any(|(name, _)| *name == "content-encoding");
    for (name, value) in response.headers {
        if name == "set-cookie" {
            converted.cookies.push(value);
            continue;
        }
        match value.parse() {
            Ok(value) => drop(converted.headers.insert(name, value)),
            Err(_) => tracing::error!(name, value, "a header that HTTP does not allow was left out"),
        }
    }
    converted.is_base64_encoded = is_compressed;
    converted.body = Some(match is_compressed {
        true => BASE64.encode(response.body),
        false => String::from_utf8_lossy(&response.body).into_owned(),
    });
    converted
}

#[cfg(test)]
mod tests {
    use stoop_serve::api::BODY_BYTES_MAX;

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
