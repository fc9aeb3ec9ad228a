//! The services that a function calls, on loopback and in memory: as much of their protocols as a test of one binary
//! under the [Lambda host](crate::host) needs, with control over the outcome of each call.
//!
//! It refuses nothing by itself and is consistent for a single writer only: the emulators test ports with real
//! responses. Not here: signatures, paging, transactions, streams.

mod answers;
mod line;
mod queue;
mod secrecy;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::Value;
use tokio::net::TcpListener;

pub use line::{Cut, Line};
pub use queue::{event_of, follow};
pub use secrecy::{forms_of, lines_with};

/// A received call.
#[derive(Clone, Debug)]
pub struct Call {
    /// `GetSecretValue`, `PutRecords`, `PutObject` and so on, as in the services' API references.
    pub operation: String,
    /// The bucket and key of an S3 call, and its query after `?`.
    pub path: String,
    /// The request body.
    pub body: Bytes,
    headers: HeaderMap,
}

/// The outcome of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It succeeds.
    #[default]
    Answer,
    /// It is not executed, and gets no response.
    Hang,
    /// It is executed, and gets no response.
    AnswerLost,
}

/// The services, for the lifetime of the test's runtime.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
    line: Line,
}

type Decide = dyn Fn(&Call) -> Fate + Send + Sync;

struct Shared {
    calls: Mutex<Vec<Call>>,
    decide: Mutex<Box<Decide>>,
    kept: Mutex<Kept>,
}

/// What was stored and sent.
#[derive(Debug, Default)]
struct Kept {
    secrets: HashMap<String, String>,
    /// Objects by bucket and key, with metadata.
    objects: BTreeMap<String, Object>,
    /// Items by table and keys.
    items: HashMap<String, Value>,
    records: Vec<String>,
    messages: Vec<Message>,
    writes: u64,
}

#[derive(Clone, Debug)]
struct Object {
    body: Bytes,
    etag: String,
    metadata: Vec<(String, String)>,
}

/// A message that was sent to a queue.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its text.
    pub body: String,
    /// Its message group.
    pub group: String,
    /// The trace header of the call, which SQS keeps as `AWSTraceHeader`.
    pub trace: Option<String>,
}

impl Call {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Service {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// There is no free port on loopback.
    pub async fn start() -> std::io::Result<Self> {
        let decide: Box<Decide> = Box::new(|_| Fate::Answer);
        let shared = Arc::new(Shared { calls: Mutex::default(), decide: Mutex::new(decide), kept: Mutex::default() });
        let app = Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&shared));
        let subscriber = TcpListener::bind("127.0.0.1:0").await?;
        let line = Line::to(subscriber.local_addr()?).await?;
        // It serves until the runtime ends; then nobody can receive an error.
        tokio::spawn(async move { drop(axum::serve(subscriber, app).await) });
        Ok(Self { shared, line })
    }

    /// The variables of every function's environment, including `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let pairs = [
            ("AWS_ENDPOINT_URL", self.line.url()),
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test-secret-access-key".into()),
            ("AWS_SESSION_TOKEN", "test-session-token".into()),
            ("STOOP_STACK", "stoop".into()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// The connections of the callers.
    #[must_use]
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// Stores a secret.
    pub fn keep_secret(&self, name: &str, text: &str) {
        self.shared.kept().secrets.insert(name.to_owned(), text.to_owned());
    }

    /// Stores an object.
    pub fn keep_object(&self, bucket: &str, key: &str, body: impl Into<Bytes>) {
        self.shared.kept().put(format!("{bucket}/{key}"), body.into(), Vec::new());
    }

    /// From now on `decide` sets the outcome of each call.
    pub fn decide(&self, decide: impl Fn(&Call) -> Fate + Send + Sync + 'static) {
        *self.shared.decide.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(decide);
    }

    /// The calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The records put on the stream, in order, in base64 as sent.
    #[must_use]
    pub fn records(&self) -> Vec<String> {
        self.shared.kept().records.clone()
    }

    /// Takes the messages sent to queues since the last call.
    #[must_use]
    pub fn take_messages(&self) -> Vec<Message> {
        std::mem::take(&mut self.shared.kept().messages)
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let call = Call { operation: answers::operation(&method, &uri, &headers), path: uri.to_string(), body, headers };
    shared.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
    let fate = (shared.decide.lock().unwrap_or_else(PoisonError::into_inner))(&call);
    if fate == Fate::Hang {
        return std::future::pending().await;
    }
    let answered = answers::answer(&mut shared.kept(), &call);
    if fate == Fate::AnswerLost {
        return std::future::pending().await;
    }
    answered
}
