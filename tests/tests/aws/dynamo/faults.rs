//! An HTTP client with network and service faults on chosen requests.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

/// The fate of a request.
pub(crate) enum Fault {
    /// No fault.
    Pass,
    /// It gets this status and body, and does not reach the service.
    Answer(u16, String),
    /// The service executes it, and its response is lost.
    LoseAnswer,
    /// This runs first.
    After(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// The faults of the next requests of an operation, in order; later ones pass.
#[derive(Clone)]
pub(crate) struct Faults {
    operation: &'static str,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    /// How many requests of the operation were made.
    seen: Arc<Mutex<usize>>,
    inner: SharedHttpClient,
}

impl Faults {
    /// A client like `client` whose requests of `operation` have these faults.
    pub(crate) fn on(
        client: &Client,
        operation: &'static str,
        faults: impl IntoIterator<Item = Fault>,
    ) -> (Client, Self) {
        let faults = Self {
            operation,
            faults: Arc::new(Mutex::new(faults.into_iter().collect())),
            seen: Arc::default(),
            inner: client.config().http_client().unwrap(),
        };
        let config = client.config().to_builder().http_client(faults.clone()).build();
        (Client::from_conf(config), faults)
    }

    /// How many requests of the operation were made.
    pub(crate) fn seen(&self) -> usize {
        *self.seen.lock().unwrap()
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("operation", &self.operation).finish_non_exhaustive()
    }
}

impl HttpClient for Faults {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { faults: self.clone(), inner })
    }
}

#[derive(Debug)]
struct Connector {
    faults: Faults,
    inner: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if target.rsplit('.').next() != Some(self.faults.operation) {
            return self.inner.call(request);
        }
        *self.faults.seen.lock().unwrap() += 1;
        let fault = self.faults.faults.lock().unwrap().pop_front().unwrap_or(Fault::Pass);
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            match fault {
                Fault::Pass => inner.call(request).await,
                Fault::Answer(status, body) => {
                    Ok(HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body)))
                }
                Fault::LoseAnswer => {
                    inner.call(request).await?;
                    Err(ConnectorError::io("the connection broke".into()))
                }
                Fault::After(first) => {
                    first.await;
                    inner.call(request).await
                }
            }
        })
    }
}
