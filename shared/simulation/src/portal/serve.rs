use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;

use super::SharedClock;
use crate::exchange::{Answered, PortalRequest};
use crate::site::Site;

/// The state for answering requests.
struct PortalState {
    site: Arc<Site>,
    /// `http://127.0.0.1:PORT`: the beginning of links in answers.
    base: String,
    clock: SharedClock,
}

pub(super) fn router(site: Arc<Site>, base: String, clock: SharedClock) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(PortalState { site, base, clock }))
}

async fn answer(
    State(served): State<Arc<PortalState>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let asked = PortalRequest {
        method: method.as_str(),
        origin: &served.base,
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
    };
    let reaction = served.site.answer(&asked, (served.clock)());
    if reaction.after_ms > 0 {
        tokio::time::sleep(Duration::from_millis(reaction.after_ms)).await;
    }
    match reaction.answer {
        Some(answer) => respond(answer),
        // Unwinding ends the task and thus the connection; unlike a panic it prints nothing.
        None => std::panic::resume_unwind(Box::new("the connection is dropped on purpose")),
    }
}

fn respond(answered: Answered) -> Response {
    let mut response = Response::new(Body::from(answered.body));
    *response.status_mut() = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answered.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
