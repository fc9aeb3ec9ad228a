use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use stoop_domain::Time;

use super::page::Page;
use super::query::Query;
use super::{Fault, Served, Shared, lock};

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/odata/Property", get(property))
        .fallback(nothing_here)
        .method_not_allowed_fallback(nothing_here)
        .with_state(shared)
}

async fn property(State(shared): State<Arc<Shared>>, RawQuery(raw): RawQuery, headers: HeaderMap) -> Response {
    let now = (shared.config.clock)();
    shared.count(|served| served.requests += 1);
    let mut answer = match shared.refuse(now, &headers) {
        Some(refusal) => refusal,
        None => {
            let fault = shared.faults.take();
            if fault.is_some() {
                shared.count(|served| served.faults += 1);
            }
            match fault {
                Some(Fault::Drop) => {
                    // Unwinding ends the task of this connection, and with it the connection; unlike a
                    // panic it prints nothing.
                    std::panic::resume_unwind(Box::new("the connection was to be dropped"));
                }
                Some(Fault::Hang { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
                _ => {}
            }
            shared.answer(now, raw.as_deref().unwrap_or(""), fault)
        }
    };
    shared.tell_quota(now, answer.headers_mut());
    answer
}

async fn nothing_here(State(shared): State<Arc<Shared>>) -> Response {
    shared.count(|served| {
        served.requests += 1;
        served.not_found += 1;
    });
    refusal(StatusCode::NOT_FOUND, "there is only GET /odata/Property")
}

impl Shared {
    fn count(&self, change: impl FnOnce(&mut Served)) {
        change(&mut lock(&self.served));
    }

    /// The answer to a request that may not be served: no token, or too many requests.
    fn refuse(&self, now: Time, headers: &HeaderMap) -> Option<Response> {
        if let Some(token) = &self.config.token {
            let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            if given.and_then(|given| given.strip_prefix("Bearer ")) != Some(token) {
                self.count(|served| served.unauthorized += 1);
                let mut answer = refusal(StatusCode::UNAUTHORIZED, "a bearer token is required");
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                return Some(answer);
            }
        }
        let wait_s = lock(&self.quota).take(now, self.config.per_minute, self.config.per_hour).err()?;
        self.count(|served| served.over_quota += 1);
        let answer = refusal(StatusCode::TOO_MANY_REQUESTS, "the quota is used up");
        Some(retry_after(answer, wait_s))
    }

    fn answer(&self, now: Time, raw: &str, fault: Option<Fault>) -> Response {
        match fault {
            Some(Fault::ServerError) => return refusal(StatusCode::INTERNAL_SERVER_ERROR, "something broke"),
            Some(Fault::Unavailable { retry_after_s }) => {
                let answer = refusal(StatusCode::SERVICE_UNAVAILABLE, "down for maintenance");
                return retry_after(answer, retry_after_s.into());
            }
            Some(Fault::TooManyRequests { retry_after_s }) => {
                let answer = refusal(StatusCode::TOO_MANY_REQUESTS, "slow down");
                return retry_after(answer, retry_after_s.into());
            }
            Some(Fault::Html) => {
                let page = "<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>";
                return respond(StatusCode::OK, "text/html; charset=utf-8", page.into());
            }
            _ => {}
        }
        let query = match Query::parse(raw) {
            Ok(query) => query,
            Err(error) => {
                self.count(|served| served.bad_requests += 1);
                return refusal(StatusCode::BAD_REQUEST, &error);
            }
        };
        let mut simulation = lock(&self.simulation);
        if self.config.follows_clock {
            simulation.advance(now);
        }
        let mut page = Page::write(&simulation, &query, &self.config, &self.base, fault);
        drop(simulation);
        if matches!(fault, None | Some(Fault::Hang { .. })) {
            self.count(|served| {
                served.pages += 1;
                served.rows += page.rows;
            });
        }
        if fault == Some(Fault::TruncatedJson) {
            page.body.truncate(page.body.len() * 2 / 3);
        }
        respond(StatusCode::OK, "application/json; odata.metadata=minimal", page.body)
    }

    /// The headers that Trestle sends: limits as decimal numbers, the reset in epoch milliseconds.
    fn tell_quota(&self, now: Time, headers: &mut HeaderMap) {
        let mut tell = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        };
        tell("odata-version", "4.0".into());
        if let Some(limit) = self.config.per_minute {
            tell("minute-quota-limit", format!("{limit}.0"));
        }
        if let Some(limit) = self.config.per_hour {
            tell("hour-quota-limit", format!("{limit}.0"));
            let reset = (now.ms().div_euclid(Time::HOUR_MS) + 1) * Time::HOUR_MS;
            tell("hour-quota-resettime", reset.to_string());
        }
    }
}

fn refusal(status: StatusCode, message: &str) -> Response {
    let escaped = message.replace('\\', "\\\\").replace('"', "\\\"").replace(char::is_control, " ");
    let body = format!("{{\"error\":{{\"code\":\"{}\",\"message\":\"{escaped}\"}}}}", status.as_u16());
    respond(status, "application/json; odata.metadata=minimal", body.into())
}

fn retry_after(mut answer: Response, seconds: i64) -> Response {
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
