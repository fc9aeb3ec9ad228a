//! The function in the tests of the Lambda host: it does what its event says, using only the standard library, so that
//! the tests are of the host and not of a runtime.

#![allow(clippy::unwrap_used, reason = "a test's helper: to panic is to exit, and that is one of the cases")]

use std::io::{BufRead, BufReader, Read, Write};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use stoop_waits::connected;

fn main() {
    match std::env::var("INIT").as_deref() {
        Ok("error") => {
            let error = json!({ "errorType": "NoConfiguration", "errorMessage": "STOOP_BUCKET is not set" });
            post("init/error", error.to_string().as_bytes());
            return;
        }
        Ok("exit") => {
            eprintln!("cannot continue");
            std::process::exit(3);
        }
        Ok("sleep") => sleep(Duration::from_millis(300)),
        _ => {}
    }
    for invocation in 1.. {
        let (headers, event) = call("GET", "invocation/next", b"");
        let id = header(&headers, "lambda-runtime-aws-request-id").unwrap();
        let event: Value = serde_json::from_slice(&event).unwrap();
        let response = format!("invocation/{id}/response");
        // A message has no such field: it is forwarded to the URL in its body.
        match event["do"].as_str().unwrap_or("forward") {
            "echo" => {
                let answer = json!({ "event": event, "invocation": invocation, "headers": headers });
                post(&response, answer.to_string().as_bytes());
            }
            "environment" => {
                let names: Value = std::env::vars().collect::<std::collections::BTreeMap<_, _>>().into_iter().collect();
                post(&response, names.to_string().as_bytes());
            }
            "error" => {
                let error = json!({ "errorType": "Throttled", "errorMessage": "the table is busy" });
                post(&format!("invocation/{id}/error"), error.to_string().as_bytes());
            }
            "exit" => std::process::exit(7),
            "hang" => {
                println!("begun");
                sleep(Duration::from_secs(3_600));
            }
            "say" => {
                println!("to standard output");
                eprintln!("to standard error");
                post(&response, b"null");
            }
            "garbage" => post(&response, b"done"),
            "nothing" => post(&response, b""),
            "large" => post(&response, &vec![b' '; usize::try_from(event["bytes"].as_u64().unwrap()).unwrap()]),
            "stranger" => {
                let (status, _) = call("POST", "invocation/another/response", b"1");
                post(&response, json!(status[0]).to_string().as_bytes());
            }
            "allocate" => {
                let memory = vec![1_u8; usize::try_from(event["bytes"].as_u64().unwrap()).unwrap()];
                post(&response, json!(memory.iter().map(|byte| u64::from(*byte)).sum::<u64>()).to_string().as_bytes());
            }
            "keep" => {
                let folder = std::path::PathBuf::from(std::env::var("TMPDIR").unwrap());
                let file = folder.join("kept");
                let kept = std::fs::read_to_string(&file).unwrap_or_default();
                std::fs::write(&file, format!("{kept}{invocation} ")).unwrap();
                post(&response, json!(kept).to_string().as_bytes());
            }
            "forward" => {
                // Like the SDK, it sends the invocation's trace header with the message.
                let trace = header(&headers, "lambda-runtime-trace-id").unwrap();
                let endpoint = event["Records"][0]["body"].as_str().unwrap();
                send_message(endpoint, &trace);
                post(&response, b"{}");
            }
            other => panic!("do {other:?}?"),
        }
    }
}

fn send_message(endpoint: &str, trace: &str) {
    let body = json!({ "MessageBody": endpoint, "MessageGroupId": "forwarded" }).to_string();
    let mut stream = connected(endpoint.strip_prefix("http://").unwrap()).unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: queue\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nX-Amzn-Trace-Id: {trace}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
}

fn post(path: &str, body: &[u8]) {
    call("POST", path, body);
}

fn header(headers: &[String], name: &str) -> Option<String> {
    let value =
        |line: &String| line.split_once(": ").filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    headers.iter().find_map(value)
}

/// Returns the status and header lines, in lower case up to the colon, and the body.
fn call(method: &str, path: &str, body: &[u8]) -> (Vec<String>, Vec<u8>) {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut stream = connected(&api).unwrap();
    let length = body.len();
    let head = format!(
        "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: {api}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut stream = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        headers.push(line.trim_end().to_owned());
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    (headers, answer)
}
