use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// Attempts at a call, including the first. The caller decides about a call that still fails: most callers run under a
/// queue or a stream that delivers again.
const ATTEMPTS_MAX: u32 = 3;

/// The first pause between attempts is at most this long, and doubles each time.
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);

const CONNECT_MAX: Duration = Duration::from_secs(2);

/// The largest body (a page of 32 MiB, compressed) is sent well within this.
const ATTEMPT_MAX: Duration = Duration::from_secs(10);
const CALL_MAX: Duration = Duration::from_secs(25);

/// Makes the SDK's clients. All share credentials, timeouts, retries and one HTTP client with one connection pool.
///
/// Made without `aws-config`: a Lambda function has its credentials in the environment and need not search files or ask
/// a metadata service, and start-up must be fast. For the same reason no certificate is read before the first call.
///
/// ```
/// # fn main() -> Result<(), stoop_aws::MissingVariables> {
/// # let environment = |name: &str| Some(format!("the value of {name}"));
/// let clients = stoop_aws::Clients::from_variables(environment)?; // in a function: Clients::from_env()?
/// let kinesis = clients.kinesis();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Clients {
    config: SdkConfig,
}

/// Variables that are not set, or empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment has no variable {}", .0.iter().copied().collect::<Vec<_>>().join(", "))]
pub struct MissingVariables(pub BTreeSet<&'static str>);

/// The value of a required environment variable.
///
/// # Errors
///
/// It is not set, empty, or not UTF-8.
pub fn required(name: &'static str) -> Result<String, MissingVariables> {
    environment(name).ok_or_else(|| MissingVariables(BTreeSet::from([name])))
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Clients {
    /// Reads `AWS_REGION` (or `AWS_DEFAULT_REGION`), `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, and if set
    /// `AWS_SESSION_TOKEN` and `AWS_ENDPOINT_URL`, which replaces every service's own endpoint.
    ///
    /// # Errors
    ///
    /// Variables are missing; the error names all of them.
    pub fn from_env() -> Result<Self, MissingVariables> {
        Self::from_variables(environment)
    }

    /// Like [`Clients::from_env`], with variables from `variable`.
    ///
    /// # Errors
    ///
    /// As for [`Clients::from_env`].
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariables> {
        let mut missing = BTreeSet::new();
        let mut needed = |name: &'static str, or: &str| {
            variable(name).or_else(|| variable(or)).unwrap_or_else(|| {
                missing.insert(name);
                String::new()
            })
        };
        let region = needed("AWS_REGION", "AWS_DEFAULT_REGION");
        let key_id = needed("AWS_ACCESS_KEY_ID", "");
        let secret = needed("AWS_SECRET_ACCESS_KEY", "");
        if !missing.is_empty() {
            return Err(MissingVariables(missing));
        }
        let credentials = Credentials::new(key_id, secret, variable("AWS_SESSION_TOKEN"), None, "Environment");
        let endpoint = variable("AWS_ENDPOINT_URL");
        let encrypted = endpoint.as_deref().is_none_or(|endpoint| !endpoint.starts_with("http://"));
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS_MAX)
            .with_initial_backoff(BACKOFF_FIRST)
            .with_max_backoff(BACKOFF_MAX);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_MAX)
            .operation_attempt_timeout(ATTEMPT_MAX)
            .operation_timeout(CALL_MAX)
            .build();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(retries)
            .timeout_config(timeouts)
            .http_client(OneHttpClient::new(encrypted));
        config.set_endpoint_url(endpoint);
        Ok(Self { config: config.build() })
    }

    /// A DynamoDB client. Each call makes a new client, so call once and clone it.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.config).retry_classifier(TooManyRequests);
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A Data Firehose client.
    #[must_use]
    pub fn firehose(&self) -> aws_sdk_firehose::Client {
        let config = aws_sdk_firehose::config::Builder::from(&self.config).retry_classifier(TooManyRequests);
        aws_sdk_firehose::Client::from_conf(config.build())
    }

    /// A Kinesis Data Streams client.
    #[must_use]
    pub fn kinesis(&self) -> aws_sdk_kinesis::Client {
        let config = aws_sdk_kinesis::config::Builder::from(&self.config).retry_classifier(TooManyRequests);
        aws_sdk_kinesis::Client::from_conf(config.build())
    }

    /// An S3 client. If an endpoint is given, the bucket is part of the path, because `bucket.127.0.0.1` is not a host.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config).retry_classifier(TooManyRequests);
        aws_sdk_s3::Client::from_conf(config.force_path_style(self.config.endpoint_url().is_some()).build())
    }

    /// A Secrets Manager client.
    #[must_use]
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let config = aws_sdk_secretsmanager::config::Builder::from(&self.config).retry_classifier(TooManyRequests);
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }

    /// An SNS client.
    #[must_use]
    pub fn sns(&self) -> aws_sdk_sns::Client {
        let config = aws_sdk_sns::config::Builder::from(&self.config).retry_classifier(TooManyRequests);
        aws_sdk_sns::Client::from_conf(config.build())
    }

    /// An SQS client.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::config::Builder::from(&self.config).retry_classifier(TooManyRequests);
        aws_sdk_sqs::Client::from_conf(config.build())
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.config.endpoint_url();
        f.debug_struct("Clients").field("region", &self.config.region()).field("endpoint", &endpoint).finish()
    }
}

/// The HTTP client of all service clients, set up on the first call.
///
/// The SDK's own makes a connector for every service client and reads the system's root certificates each time, which
/// slows start-up. This one makes one connector.
#[derive(Debug)]
struct OneHttpClient(SharedHttpClient);

impl OneHttpClient {
    /// Without encryption, no certificates are read.
    fn new(encrypted: bool) -> Self {
        let roots = TrustStore::empty().with_native_roots(encrypted);
        let context = TlsContext::builder().with_trust_store(roots).build();
        let context = context.expect("nothing in a context of root certificates alone can be refused");
        Self(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https())
    }
}

impl HttpClient for OneHttpClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, parts)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

/// Retries a response with status 429. The SDK goes by the error code and does not know that of SNS (`Throttled`).
#[derive(Debug)]
struct TooManyRequests;

impl ClassifyRetry for TooManyRequests {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|response| response.status().as_u16()) {
            Some(429) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "too many requests"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_variable_is_named_at_once() {
        let error = Clients::from_variables(|_| None).unwrap_err();
        let names = "AWS_ACCESS_KEY_ID, AWS_REGION, AWS_SECRET_ACCESS_KEY";
        assert_eq!(error.to_string(), format!("the environment has no variable {names}"));
    }

    #[test]
    fn the_default_region_stands_in_and_no_secret_is_shown() {
        let clients = Clients::from_variables(|name| match name {
            "AWS_REGION" | "AWS_ENDPOINT_URL" => None,
            "AWS_DEFAULT_REGION" => Some("eu-west-3".into()),
            name => Some(format!("hush {name}")),
        });
        let clients = clients.unwrap();
        assert_eq!(clients.config.region().unwrap().as_ref(), "eu-west-3");
        for shown in [format!("{clients:?}"), format!("{:?}", clients.s3())] {
            let secret = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
                .iter()
                .any(|name| shown.contains(&format!("hush {name}")));
            assert!(!secret);
        }
    }
}
