use std::fmt;

use async_trait::async_trait;
use stoop_domain::Alert;
use stoop_pipeline::ports::{DeliveryError, FailureKind, HttpError, PortError, Subscriber};
use stoop_serve::AlertView;

use crate::http::HttpClient;

/// Sends alerts by POSTing each as a JSON object ([`AlertView`]). Any status from 200 to 299 means sent. One from 400
/// to 499 is a permanent refusal, except 408 (timeout) and 429 (too many): a bad message stays bad.
#[derive(Clone, Debug)]
pub struct Webhook {
    client: HttpClient,
    address: Address,
}

/// An `http://` or `https://` URL, which may hold a key: it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Parses a URL; `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = text.starts_with("https://") || text.starts_with("http://");
        is_one.then(|| Self(text.to_owned()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(not shown)")
    }
}

impl Webhook {
    /// A webhook at a URL.
    #[must_use]
    pub fn new(client: HttpClient, address: Address) -> Self {
        Self { client, address }
    }
}

#[async_trait]
impl Subscriber for Webhook {
    async fn notify(&self, alert: &Alert) -> Result<(), DeliveryError> {
        let failed = |kind, why: Box<dyn std::error::Error + Send + Sync>| {
            PortError::new(kind, "post an alert to the webhook", why)
        };
        let refused = |why| DeliveryError::Refused(failed(FailureKind::Refused, why));
        let body = serde_json::to_vec(&AlertView::of(alert)).map_err(|error| refused(error.into()))?;
        match self.client.post_json(&self.address.0, body).await {
            Ok((200..=299, _)) => Ok(()),
            Ok((status, retry_after)) => {
                let (kind, why) = match status {
                    300..=399 => {
                        (FailureKind::Refused, format!("status {status}: redirects are not followed; correct the URL"))
                    }
                    429 => (FailureKind::Throttled, format!("status {status}")),
                    408 | 500.. => (FailureKind::Unavailable, format!("status {status}")),
                    400..=499 => return Err(refused(format!("status {status}").into())),
                    _ => (FailureKind::Refused, format!("status {status}")),
                };
                let error = failed(kind, why.into());
                Err(DeliveryError::Later { error, after_ms: retry_after.map(|seconds| seconds.saturating_mul(1_000)) })
            }
            // A URL that cannot be requested is a mistake of the configuration, not of this alert.
            Err(error) => {
                let kind = match &error {
                    HttpError::Transient(_) => FailureKind::Unavailable,
                    HttpError::Refused(_) | HttpError::TooLarge => FailureKind::Refused,
                };
                Err(DeliveryError::Later { error: failed(kind, error.into()), after_ms: None })
            }
        }
    }
}
