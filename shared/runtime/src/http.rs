use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::redirect::Policy;
use stoop_pipeline::USER_AGENT;
use stoop_pipeline::ports::{Http, HttpAnswer, HttpError};
use stoop_sources::{Method, Request};

const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REDIRECTS_MAX: usize = 5;
/// So much of the answer to an alert is read, within this time.
const ANSWER_BYTES_MAX: usize = 64 << 10;
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Fetches over HTTP/1.1 and HTTP/2, with rustls and the system's root certificates. Clones share connections.
///
/// The clients are built on first use: reading the root certificates takes longer than a function may take to start.
#[derive(Clone, Debug, Default)]
pub struct HttpClient {
    /// Follows redirects within an origin.
    getting: Arc<OnceLock<reqwest::Client>>,
    /// Follows no redirects: a redirected POST would become a GET without its body.
    posting: Arc<OnceLock<reqwest::Client>>,
}

impl HttpClient {
    /// A client with its own connection pool.
    #[must_use]
    pub fn new() -> Self {
        // Installing the same provider again changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        Self::default()
    }

    fn getting(&self) -> Result<&reqwest::Client, HttpError> {
        let redirects = || {
            Policy::custom(|attempt| {
                // Headers may hold a key, so redirects stay within the origin.
                let first = attempt.previous().first();
                let same_origin = first.is_some_and(|first| first.origin() == attempt.url().origin());
                if !same_origin || attempt.previous().len() > REDIRECTS_MAX { attempt.stop() } else { attempt.follow() }
            })
        };
        made(&self.getting, redirects)
    }

    fn posting(&self) -> Result<&reqwest::Client, HttpError> {
        made(&self.posting, Policy::none)
    }

    /// POSTs JSON. Returns the status, and the seconds of its `Retry-After`.
    pub(crate) async fn post_json(&self, url: &str, body: Vec<u8>) -> Result<(u16, Option<u64>), HttpError> {
        let request = self.posting()?.post(url).header("content-type", "application/json");
        let request = request.header("user-agent", USER_AGENT).body(body);
        let mut answer = request.send().await.map_err(|error| transient(&error))?;
        let status = answer.status().as_u16();
        let retry_after =
            answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        // A connection is used again if its answer was read, which nobody waits for long.
        let read = async {
            let mut left_bytes = ANSWER_BYTES_MAX;
            while let Ok(Some(chunk)) = answer.chunk().await
                && chunk.len() <= left_bytes
            {
                left_bytes -= chunk.len();
            }
        };
        drop(tokio::time::timeout(ANSWER_WITHIN, read).await);
        Ok((status, retry_after))
    }
}

#[async_trait]
impl Http for HttpClient {
    async fn send(&self, request: &Request) -> Result<HttpAnswer, HttpError> {
        // A link from the source is sent unchanged; reqwest's parser keeps `$` and `+`.
        let url =
            reqwest::Url::parse(&request.url).map_err(|error| HttpError::Refused(format!("not a URL: {error}")))?;
        let mut builder = match request.method {
            Method::Get => self.getting()?.get(url),
            Method::Post => self.posting()?.post(url),
        };
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let mut response = builder.send().await.map_err(|error| transient(&error))?;
        let status = response.status().as_u16();
        let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| transient(&error))? {
            if body.len() + chunk.len() > HttpAnswer::BODY_MAX {
                return Err(HttpError::TooLarge);
            }
            // Grows like a vector, but never beyond the largest accepted body.
            let wanted = (body.capacity() * 2).clamp(body.len() + chunk.len(), HttpAnswer::BODY_MAX);
            if body.len() + chunk.len() > body.capacity() {
                body.reserve_exact(wanted - body.len());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpAnswer { status, headers, body })
    }
}

fn made(slot: &OnceLock<reqwest::Client>, redirects: impl FnOnce() -> Policy) -> Result<&reqwest::Client, HttpError> {
    if let Some(client) = slot.get() {
        return Ok(client);
    }
    let builder = reqwest::Client::builder().timeout(TIMEOUT).connect_timeout(CONNECT_TIMEOUT);
    let client = builder.redirect(redirects()).build().map_err(|error| transient(&error))?;
    Ok(slot.get_or_init(|| client))
}

/// The error in words, with its causes, without the URL: it may hold a key.
fn transient(error: &reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        "no response in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        return HttpError::Refused("the request cannot be built: a header or the URL is malformed".into());
    } else {
        "the connection broke"
    };
    let mut cause = std::error::Error::source(error);
    let mut words = kind.to_owned();
    while let Some(inner) = cause {
        words = format!("{kind}: {inner}");
        cause = inner.source();
    }
    HttpError::Transient(words)
}
