//! The services' responses, as in their API references.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::{Value, json};

use super::{Call, Kept, Message, Object};

/// The operation of a call: in a header, except for S3, where method and path determine it.
pub(super) fn operation(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if let Some((_, operation)) = target.and_then(|target| target.split_once('.')) {
        return operation.to_owned();
    }
    let listing = uri.query().is_some_and(|query| query.contains("list-type=2"));
    match *method {
        Method::PUT => "PutObject",
        Method::HEAD => "HeadObject",
        Method::GET if listing => "ListObjectsV2",
        Method::GET => "GetObject",
        _ => "unknown",
    }
    .to_owned()
}

pub(super) fn answer(kept: &mut Kept, call: &Call) -> Response<Body> {
    match &*call.operation {
        "PutObject" => kept.put_object(call),
        "GetObject" | "HeadObject" => kept.object(call),
        "ListObjectsV2" => kept.list(call),
        operation => {
            let asked: Value = serde_json::from_slice(&call.body).unwrap_or_default();
            match kept.json(operation, &asked, call) {
                Some(answered) => {
                    response(200, &[("content-type", "application/x-amz-json-1.0")], answered.to_string())
                }
                None => refused("ResourceNotFoundException", operation),
            }
        }
    }
}

fn response(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap_or_default()
}

fn refused(code: &str, message: &str) -> Response<Body> {
    let body = json!({ "__type": code, "message": message }).to_string();
    response(400, &[("content-type", "application/x-amz-json-1.0")], body)
}

fn refused_by_s3(status: u16, code: &str) -> Response<Body> {
    response(status, &[("content-type", "application/xml")], format!("<Error><Code>{code}</Code></Error>"))
}

/// Bucket and key, without the SDK's query.
fn name(call: &Call) -> String {
    call.path.split('?').next().unwrap_or_default().trim_start_matches('/').to_owned()
}

fn key_of(asked: &Value, key: &Value) -> String {
    let mut parts: Vec<String> =
        key.as_object().into_iter().flatten().map(|(name, part)| format!("{name}={part}")).collect();
    parts.sort();
    format!("{}/{}", asked["TableName"], parts.join("&"))
}

impl Kept {
    pub(super) fn put(&mut self, name: String, body: Bytes, metadata: Vec<(String, String)>) -> String {
        self.writes += 1;
        let etag = format!("\"{:032x}\"", self.writes);
        self.objects.insert(name, Object { body, etag: etag.clone(), metadata });
        etag
    }

    fn put_object(&mut self, call: &Call) -> Response<Body> {
        let name = name(call);
        let there = self.objects.get(&name);
        let absent_holds = call.header("if-none-match") != Some("*") || there.is_none();
        let etag_holds = call.header("if-match").is_none_or(|etag| there.is_some_and(|object| object.etag == etag));
        if !absent_holds || !etag_holds {
            return refused_by_s3(412, "PreconditionFailed");
        }
        let metadata = call.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-amz-meta-"));
        let metadata = metadata.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
        let metadata = metadata.collect();
        let etag = self.put(name, call.body.clone(), metadata);
        response(200, &[("etag", &etag)], Body::empty())
    }

    fn object(&self, call: &Call) -> Response<Body> {
        let Some(object) = self.objects.get(&name(call)) else { return refused_by_s3(404, "NoSuchKey") };
        if call.header("if-none-match") == Some(&object.etag) {
            return response(304, &[], Body::empty());
        }
        let mut headers = vec![("etag", &*object.etag)];
        headers.extend(object.metadata.iter().map(|(name, value)| (&**name, &**value)));
        response(200, &headers, object.body.clone())
    }

    fn list(&self, call: &Call) -> Response<Body> {
        let (bucket, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let bucket = bucket.trim_matches('/');
        let prefix = query.split('&').find_map(|part| part.strip_prefix("prefix=")).unwrap_or_default();
        let prefix = format!("{bucket}/{}", prefix.replace("%2F", "/"));
        let shallow = query.contains("delimiter=%2F");
        let is_listed = |name: &str| name.strip_prefix(&prefix).is_some_and(|rest| !(shallow && rest.contains('/')));
        let listed = self.objects.iter().filter(|(name, _)| is_listed(name)).map(|(name, object)| {
            let key = &name[bucket.len() + 1..];
            format!(
                "<Contents><Key>{key}</Key><ETag>{}</ETag><Size>{}</Size></Contents>",
                object.etag,
                object.body.len()
            )
        });
        let listed: String = listed.collect();
        let body = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>");
        response(200, &[("content-type", "application/xml")], body)
    }

    /// The response of a JSON service; `None` if the item does not exist.
    fn json(&mut self, operation: &str, asked: &Value, call: &Call) -> Option<Value> {
        Some(match operation {
            "GetSecretValue" => {
                let name = asked["SecretId"].as_str()?;
                json!({ "Name": name, "SecretString": self.secrets.get(name)? })
            }
            "GetItem" => match self.items.get(&key_of(asked, &asked["Key"])) {
                Some(item) => json!({ "Item": item }),
                None => json!({}),
            },
            "BatchGetItem" => {
                let mut responses = serde_json::Map::new();
                for (table, of_table) in asked["RequestItems"].as_object()? {
                    let keys = of_table["Keys"].as_array()?.iter();
                    let items = keys.filter_map(|key| self.items.get(&key_of(&json!({ "TableName": table }), key)));
                    responses.insert(table.clone(), items.cloned().collect());
                }
                json!({ "Responses": responses, "UnprocessedKeys": {} })
            }
            "PutItem" => {
                // The functions' tables have at most two key attributes, with these names.
                let item = &asked["Item"];
                let keys = ["subject", "id", "market", "part"].into_iter().filter(|name| item.get(name).is_some());
                let key: Value =
                    keys.map(|name| (name.to_owned(), item[name].clone())).collect::<serde_json::Map<_, _>>().into();
                self.items.insert(key_of(asked, &key), item.clone());
                json!({})
            }
            "Query" => json!({ "Items": [], "Count": 0, "ScannedCount": 0 }),
            "PutRecords" => {
                let records = asked["Records"].as_array()?;
                let data = records.iter().filter_map(|record| record["Data"].as_str());
                self.records.extend(data.map(str::to_owned));
                let taken =
                    |index| json!({ "SequenceNumber": format!("{index:056}"), "ShardId": "shardId-000000000000" });
                json!({ "FailedRecordCount": 0, "Records": (0..records.len()).map(taken).collect::<Vec<_>>() })
            }
            "SendMessage" => {
                let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
                self.writes += 1;
                let id = format!("00000000-0000-4000-8000-{:012x}", self.writes);
                let trace = call.header("x-amzn-trace-id").map(str::to_owned);
                let message =
                    Message { id: id.clone(), body: text("MessageBody"), group: text("MessageGroupId"), trace };
                self.messages.push(message);
                json!({ "MessageId": id })
            }
            "ChangeMessageVisibility" => json!({}),
            _ => return None,
        })
    }
}
