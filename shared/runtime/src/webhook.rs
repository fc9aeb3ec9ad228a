use stoop_domain::Alert;
use stoop_pipeline::ports::PortError;
use stoop_pipeline::serve::AlertView;

use crate::http::HttpClient;

/// Tells alerts by POSTing each as a JSON object ([`AlertView`]). Any status from 200 to 299 counts as told.
#[derive(Clone, Debug)]
pub struct Webhook {
    client: HttpClient,
    url: String,
}

impl Webhook {
    /// A webhook at an absolute address.
    #[must_use]
    pub fn new(client: HttpClient, url: String) -> Self {
        Self { client, url }
    }

    /// Posts an alert once.
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn post(&self, alert: &Alert) -> Result<(), PortError> {
        let body =
            serde_json::to_vec(&AlertView::of(alert)).map_err(|error| PortError::new("writing an alert", error))?;
        match self.client.post_json(&self.url, body).await {
            Ok(200..=299) => Ok(()),
            Ok(status) => Err(PortError::new("posting an alert to the webhook", format!("status {status}"))),
            Err(error) => Err(PortError::new("posting an alert to the webhook", error)),
        }
    }
}
