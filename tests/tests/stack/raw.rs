//! Calls without an SDK: invoking a function, reading a function's log, a function's URL.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::redirect::Policy;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use stoop_runtime::HttpClient;
use stoop_tests::local::LocalAws;

/// Longer than any function's timeout.
const PATIENCE: Duration = Duration::from_secs(330);

/// Requests to the endpoint without a valid signature: emulators only read the service name from it.
pub(crate) struct Raw {
    http: reqwest::Client,
    endpoint: String,
}

/// The response of a function's URL.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Raw {
    pub(crate) fn new(aws: &LocalAws) -> Result<Self> {
        // It installs the TLS provider that our client needs, although nothing here is encrypted.
        drop(HttpClient::new());
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().redirect(Policy::none()).build()?;
        Ok(Self { http, endpoint: aws.endpoint().to_owned() })
    }

    fn request(&self, method: Method, path: &str, service: &str) -> reqwest::RequestBuilder {
        let scope = format!("test/20260101/us-east-1/{service}/aws4_request");
        let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        self.http.request(method, format!("{}{path}", self.endpoint)).header("authorization", signature)
    }

    /// Invokes a function and waits for its response.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Result<Value> {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let answer = self.request(Method::POST, &path, "lambda").body(event.to_string()).send().await?;
        let error = answer.headers().get("x-amz-function-error").cloned();
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success() && error.is_none(), "{function} answered {status}, {error:?}: {text}");
        serde_json::from_str(&text).with_context(|| format!("{function} answered no JSON: {text}"))
    }

    /// The event source mappings of the functions whose names begin with `stack`, as ARN of the function and state.
    pub(crate) async fn event_source_mappings(&self, stack: &str) -> Result<Vec<String>> {
        let answer = self.request(Method::GET, "/2015-03-31/event-source-mappings/", "lambda").send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "ListEventSourceMappings: {status}: {text}");
        let listed: Value = serde_json::from_str(&text)?;
        let listed = listed["EventSourceMappings"].as_array().context("ListEventSourceMappings: no list")?;
        let text = |mapping: &Value, key: &str| mapping[key].as_str().unwrap_or_default().to_owned();
        let named = listed.iter().map(|mapping| (text(mapping, "FunctionArn"), text(mapping, "State")));
        let of_stack = named.filter(|(function, _)| function.contains(&format!(":function:{stack}-")));
        Ok(of_stack.map(|(function, state)| format!("{function}: {state}")).collect())
    }

    /// The lines that a function has logged since `from_ms`.
    pub(crate) async fn log(&self, function: &str, from_ms: i64) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        let mut token = None::<String>;
        loop {
            let mut ask = json!({"logGroupName": format!("/aws/lambda/{function}"), "startTime": from_ms});
            if let Some(token) = token {
                ask["nextToken"] = token.into();
            }
            let page = self.json("logs", "Logs_20140328.FilterLogEvents", ask).await;
            let page = page.with_context(|| format!("the log of {function}"))?;
            let events = page["events"].as_array().cloned().unwrap_or_default();
            lines.extend(events.iter().filter_map(|event| event["message"].as_str().map(str::to_owned)));
            token = page["nextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                return Ok(lines);
            }
        }
    }

    /// Calls an operation of a service that takes JSON.
    pub(crate) async fn json(&self, service: &str, target: &str, body: Value) -> Result<Value> {
        let request = self.request(Method::POST, "/", service).header("content-type", "application/x-amz-json-1.1");
        let answer = request.header("x-amz-target", target).body(body.to_string()).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{target}: {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// Sends a GET to a function's URL: `to` comes from [`LocalAws::function_url`].
    pub(crate) async fn get(&self, to: &(String, String), path: &str, token: Option<&str>) -> Result<Answer> {
        self.send(Method::GET, to, path, token).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        (url, host): &(String, String),
        path: &str,
        token: Option<&str>,
    ) -> Result<Answer> {
        let address = format!("{}{path}", url.trim_end_matches('/'));
        let mut request = self.http.request(method, address).header("host", host);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status().as_u16(), answer.text().await?);
        let body = serde_json::from_str(&text).with_context(|| format!("{path} answered {status}, no JSON: {text}"))?;
        Ok(Answer { status, body })
    }

    /// Sends a browser's GET to a function's URL.
    pub(crate) async fn browse(&self, to: &(String, String), path: &str, cookie: &str) -> Result<Response> {
        let (url, host) = to;
        let request = self.http.get(format!("{}{path}", url.trim_end_matches('/')));
        Ok(request.header("host", host).header("cookie", cookie).send().await?)
    }

    /// Sends a form to a function's URL, as a browser does from a page of that host.
    pub(crate) async fn send_form(&self, to: &(String, String), path: &str, form: &[(&str, &str)]) -> Result<Response> {
        let (url, host) = to;
        let request = self.http.post(format!("{}{path}", url.trim_end_matches('/')));
        let request = request.header("host", host).header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Ok(request.body(form_of(form)).send().await?)
    }
}

pub(crate) fn form_of(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
