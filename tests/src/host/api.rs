use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::{FunctionError, PAYLOAD_BYTES_MAX};

/// The Lambda runtime API for one process, on a free port of 127.0.0.1.
pub(super) struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// State shared by the API's handlers and the host.
struct Shared {
    state: Mutex<SharedState>,
    /// An event was offered.
    offered: Notify,
}

struct SharedState {
    /// Tells the host that the function is ready, or why not.
    init: Option<oneshot::Sender<Result<Instant, FunctionError>>>,
    /// The event that waits for the function.
    event: Option<Event>,
    /// The event that the function is handling.
    current: Option<(String, InvocationSender)>,
    offered: u64,
}

struct Event {
    id: String,
    body: Vec<u8>,
    deadline_ms: u128,
    trace: String,
    answer: InvocationSender,
}

type InvocationSender = oneshot::Sender<Result<Value, FunctionError>>;

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:hosted";

impl RuntimeApi {
    /// Starts to serve. The receiver gets the time when the function first asks for an event, or the reason why it does
    /// not.
    pub(super) async fn start() -> io::Result<(Self, oneshot::Receiver<Result<Instant, FunctionError>>)> {
        let subscriber = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = subscriber.local_addr()?;
        let (init, ready) = oneshot::channel();
        let state = SharedState { init: Some(init), event: None, current: None, offered: 0 };
        let shared = Arc::new(Shared { state: Mutex::new(state), offered: Notify::new() });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // It serves until it is aborted; then nobody can receive an error.
            drop(axum::serve(subscriber, routes).await);
        });
        Ok((Self { address, shared, server }, ready))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Offers an event to the function, with the given trace header or a new one. Returns its outcome.
    pub(super) fn offer(
        &self,
        body: Vec<u8>,
        trace: Option<&str>,
        timeout: Duration,
    ) -> impl Future<Output = Result<Value, FunctionError>> + use<> {
        let (answer, answered) = oneshot::channel();
        let deadline_ms = now_ms() + timeout.as_millis();
        {
            let mut state = self.shared.state();
            state.offered += 1;
            let id = format!("00000000-0000-4000-8000-{:012x}", state.offered);
            state.current = None;
            let new = || format!("Root=1-00000000-{};Sampled=0", &id.replace('-', "")[8..32]);
            let trace = trace.map_or_else(new, str::to_owned);
            state.event = Some(Event { id, body, deadline_ms, trace, answer });
        }
        self.shared.offered.notify_one();
        // If the sender is gone, so is the process, and the waiter learns that elsewhere.
        async move {
            match answered.await {
                Ok(answer) => answer,
                Err(_) => std::future::pending().await,
            }
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, SharedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ready(&self, word: Result<Instant, FunctionError>) -> bool {
        let init = self.state().init.take();
        init.is_some_and(|init| init.send(word).is_ok())
    }

    /// Sets the response to the current event. The ID must be that event's.
    fn answer(&self, id: &str, answer: Result<Value, FunctionError>) -> Response {
        let current = self.state().current.take_if(|(current, _)| current == id);
        match current {
            Some((_, host)) => {
                // A host that no longer waits has killed the function.
                drop(host.send(answer));
                (StatusCode::ACCEPTED, axum::Json(json!({ "status": "OK" }))).into_response()
            }
            None => refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        }
    }
}

/// The next event: the function waits here between invocations.
async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.ready(Ok(Instant::now()));
    loop {
        let offered = shared.offered.notified();
        let event = {
            let mut state = shared.state();
            let event = state.event.take();
            event.map(|Event { id, body, deadline_ms, trace, answer }| {
                state.current = Some((id.clone(), answer));
                (id, body, deadline_ms, trace)
            })
        };
        let Some((id, body, deadline_ms, trace)) = event else {
            offered.await;
            continue;
        };
        let headers = [
            ("content-type", "application/json".into()),
            ("lambda-runtime-aws-request-id", id),
            ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
            ("lambda-runtime-invoked-function-arn", ARN.into()),
            ("lambda-runtime-trace-id", trace),
        ];
        return (headers, body).into_response();
    }
}

async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Response {
    if body.len() > PAYLOAD_BYTES_MAX {
        let message = shared.answer(&id, Err(FunctionError::TooLarge { what: "a response", bytes: body.len() }));
        if message.status() == StatusCode::ACCEPTED {
            return refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                "Exceeded maximum allowed payload size",
            );
        }
        return message;
    }
    // A function without a result sends no body.
    let read = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
    shared.answer(&id, read.map_err(|_| FunctionError::NoJson(String::from_utf8_lossy(&body).into_owned())))
}

async fn error(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let (error_type, message) = read_error(&headers, &body);
    shared.answer(&id, Err(FunctionError::Returned { error_type, message }))
}

async fn init_error(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let (error_type, message) = read_error(&headers, &body);
    if shared.ready(Err(FunctionError::Init { error_type, message })) {
        return (StatusCode::ACCEPTED, axum::Json(json!({ "status": "OK" }))).into_response();
    }
    refused(StatusCode::FORBIDDEN, "InvalidStateTransition", "The function is past its init")
}

/// `errorType` and `errorMessage` of an error document; the type may only be in the header.
fn read_error(headers: &HeaderMap, body: &[u8]) -> (String, String) {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
    let header = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
    let error_type = text("errorType").or(header.map(str::to_owned)).unwrap_or_else(|| "Unhandled".into());
    (error_type, text("errorMessage").unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()))
}

fn refused(status: StatusCode, error_type: &str, message: &str) -> Response {
    (status, axum::Json(json!({ "errorType": error_type, "errorMessage": message }))).into_response()
}

#[expect(clippy::disallowed_methods, reason = "a deadline is by the clock on the wall, and a host is at the edge")]
fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
