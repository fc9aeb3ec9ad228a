//! The parts of SQS, Secrets Manager and DynamoDB that these tests need, on loopback, in AWS's JSON protocol. It
//! accepts everything and records the requests: the suite on local AWS tests whether AWS accepts them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use stoop_aws::Clients;

/// A server that records requests. It ends when dropped.
pub(crate) struct Aws {
    said: Arc<Said>,
    clients: Clients,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Said {
    calls: Mutex<Vec<(String, Value)>>,
    secrets: Mutex<BTreeMap<String, String>>,
    down: Mutex<BTreeSet<&'static str>>,
}

impl Aws {
    pub(crate) async fn start() -> Self {
        let said = Arc::<Said>::default();
        let subscriber = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", subscriber.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&said));
        let server = tokio::spawn(async move { axum::serve(subscriber, router).await.unwrap() });
        let clients = Clients::from_variables(|name| match name {
            "AWS_SESSION_TOKEN" => None,
            "AWS_REGION" => Some("us-east-1".into()),
            "AWS_ENDPOINT_URL" => Some(url.clone()),
            _ => Some("test".into()),
        });
        Self { said, clients: clients.unwrap(), server }
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Replaces a secret.
    pub(crate) fn keep_secret(&self, name: &str, text: &str) {
        self.said.secrets.lock().unwrap().insert(name.to_owned(), text.to_owned());
    }

    /// Switches an operation to internal errors, or back.
    pub(crate) fn down(&self, operation: &'static str, is_down: bool) {
        let mut down = self.said.down.lock().unwrap();
        if is_down {
            down.insert(operation)
        } else {
            down.remove(operation)
        };
    }

    /// The requests of an operation since the last call.
    pub(crate) fn asked(&self, operation: &str) -> Vec<Value> {
        let mut calls = self.said.calls.lock().unwrap();
        let (asked, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut *calls).into_iter().partition(|call| call.0 == operation);
        *calls = rest;
        asked.into_iter().map(|(_, request)| request).collect()
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(said): State<Arc<Said>>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let target = headers.get("x-amz-target").map(|target| target.to_str().unwrap()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let request: Value = serde_json::from_slice(&body).unwrap();
    said.calls.lock().unwrap().push((operation.to_owned(), request.clone()));
    if said.down.lock().unwrap().contains(operation) {
        return (StatusCode::INTERNAL_SERVER_ERROR, json!({ "__type": "InternalFailure" }).to_string());
    }
    let answer = match operation {
        "SendMessage" => Ok(json!({ "MessageId": "5fea7756-0ea4-451a-a703-a558b933e274", "MD5OfMessageBody": "" })),
        "ChangeMessageVisibility" | "TransactWriteItems" => Ok(json!({})),
        "SendMessageBatch" => {
            let taken = |entry: &Value| json!({ "Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": "" });
            let taken: Vec<Value> = request["Entries"].as_array().unwrap().iter().map(taken).collect();
            Ok(json!({ "Successful": taken, "Failed": [] }))
        }
        "GetSecretValue" => {
            let name = request["SecretId"].as_str().unwrap();
            let text = said.secrets.lock().unwrap().get(name).cloned();
            text.map(|text| json!({ "Name": name, "SecretString": text })).ok_or("ResourceNotFoundException")
        }
        _ => Err("UnknownOperationException"),
    };
    match answer {
        Ok(answer) => (StatusCode::OK, answer.to_string()),
        Err(kind) => (StatusCode::BAD_REQUEST, json!({ "__type": kind, "message": "no such thing" }).to_string()),
    }
}
