//! The Lambda host follows Lambda's rules. Tests of real functions on it are with those functions.

mod only_lambda;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use stoop_tests::host::{FunctionError, Host, PAYLOAD_BYTES_MAX};

/// Long enough for any machine.
const LONG: Duration = Duration::from_secs(120);

async fn start(environment: &[(&str, &str)], timeout: Duration) -> Result<Host, FunctionError> {
    Host::start(env!("CARGO_BIN_EXE_scratch-function"), environment.iter().copied(), timeout).await
}

async fn host() -> Host {
    start(&[], LONG).await.unwrap()
}

fn is_alive(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

#[tokio::test]
async fn the_same_process_answers_each_event() {
    let host = host().await;
    for invocation in 1..=20 {
        let event = json!({ "do": "echo", "text": "é \u{1f3e0}", "numbers": [1, 2.5, null] });
        let response = host.invoke(&event).await.unwrap();
        assert_eq!((&response["event"], &response["invocation"]), (&event, &json!(invocation)));
    }
}

#[tokio::test]
async fn concurrent_invocations_wait_for_one_another() {
    let host = host().await;
    let event = |n: u32| json!({ "do": "echo", "n": n });
    let (one, two, three) = (event(1), event(2), event(3));
    let all = tokio::join!(host.invoke(&one), host.invoke(&two), host.invoke(&three));
    for (event, response) in [(one, all.0), (two, all.1), (three, all.2)] {
        assert_eq!(response.unwrap()["event"], event);
    }
}

#[tokio::test]
async fn an_event_has_its_id_deadline_arn_and_trace() {
    let host = host().await;
    let first = host.invoke(&json!({ "do": "echo" })).await.unwrap();
    let second = host.invoke(&json!({ "do": "echo" })).await.unwrap();
    let header = |response: &Value, name: &str| {
        let lines = response["headers"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
        let mut values = lines.filter_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
        values.next().unwrap_or_else(|| panic!("no {name}: {response}"))
    };
    assert_ne!(header(&first, "lambda-runtime-aws-request-id"), header(&second, "lambda-runtime-aws-request-id"));
    let deadline = |response| header(response, "lambda-runtime-deadline-ms").parse::<u64>().unwrap();
    assert!(deadline(&first) <= deadline(&second));
    let year_2026_ms = 1_767_225_600_000;
    assert!(deadline(&first) > year_2026_ms, "milliseconds since 1970");
    assert!(header(&first, "lambda-runtime-invoked-function-arn").starts_with("arn:aws:lambda:us-east-1:"));
    assert!(header(&first, "lambda-runtime-trace-id").starts_with("Root=1-"));
}

#[tokio::test]
async fn the_environment_is_lambdas_and_the_given_variables() {
    let host = start(&[("STOOP_BUCKET", "a-bucket"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")], LONG).await.unwrap();
    let environment = host.invoke(&json!({ "do": "environment" })).await.unwrap();
    assert_eq!(environment["STOOP_BUCKET"], "a-bucket");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256", "given variables win");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "scratch-function");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_VERSION"], "$LATEST");
    assert_eq!(environment["AWS_REGION"], "us-east-1");
    assert!(environment["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap().starts_with("127.0.0.1:"));
    let is_lambdas = |name: &String| name.starts_with("AWS_") || ["PATH", "TZ", "_HANDLER"].contains(&name.as_str());
    let names: Vec<&String> = environment.as_object().unwrap().keys().filter(|name| !is_lambdas(name)).collect();
    assert_eq!(names, ["STOOP_BUCKET", "TMPDIR"], "nothing comes from the environment of the tests");
}

#[tokio::test]
async fn an_error_is_returned_and_the_process_continues() {
    let host = host().await;
    let error = host.invoke(&json!({ "do": "error" })).await.unwrap_err();
    let (error_type, message) = ("Throttled".into(), "the table is busy".into());
    assert_eq!(error, FunctionError::Returned { error_type, message });
    assert_eq!(host.invoke(&json!({ "do": "echo" })).await.unwrap()["invocation"], 2);
}

#[tokio::test]
async fn a_response_not_json_or_too_large_is_an_error_and_the_process_continues() {
    let host = host().await;
    assert_eq!(host.invoke(&json!({ "do": "garbage" })).await, Err(FunctionError::NoJson("done".into())));
    let bytes = PAYLOAD_BYTES_MAX + 1;
    let large = host.invoke(&json!({ "do": "large", "bytes": bytes })).await;
    assert_eq!(large, Err(FunctionError::TooLarge { what: "a response", bytes }));
    assert_eq!(host.invoke(&json!({ "do": "nothing" })).await, Ok(Value::Null));
    assert_eq!(host.invoke(&json!({ "do": "echo" })).await.unwrap()["invocation"], 4);
    let event = json!({ "do": "x".repeat(PAYLOAD_BYTES_MAX) });
    let bytes = event.to_string().len();
    assert_eq!(host.invoke(&event).await, Err(FunctionError::TooLarge { what: "an event", bytes }));
}

#[tokio::test]
async fn a_response_to_another_request_is_refused() {
    let status = host().await.invoke(&json!({ "do": "stranger" })).await.unwrap();
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
}

#[tokio::test]
async fn a_function_that_cannot_start_says_why() {
    let error = start(&[("INIT", "error")], LONG).await.err().unwrap();
    let (error_type, message) = ("NoConfiguration".into(), "STOOP_BUCKET is not set".into());
    assert_eq!(error, FunctionError::Init { error_type, message });

    let error = start(&[("INIT", "exit")], LONG).await.err().unwrap();
    let FunctionError::NotStarted(why) = error else { panic!("{error:?}") };
    assert!(why.ends_with("scratch-function ended with exit status: 3, and wrote:\ncannot continue"), "{why}");

    let error = Host::start("/no/such/function", [("A", "b")], LONG).await.err().unwrap();
    assert!(matches!(&error, FunctionError::NotStarted(why) if why.contains("/no/such/function")), "{error}");
}

#[tokio::test]
async fn a_process_that_ends_is_reported_and_replaced() {
    let host = host().await;
    let exited = host.invoke(&json!({ "do": "exit" })).await;
    assert_eq!(exited, Err(FunctionError::Exited("exit status: 7".into())));
    assert_eq!(host.invoke(&json!({ "do": "echo" })).await, Err(FunctionError::NotRunning));
    assert_eq!((host.process_id(), host.peak_memory_kb()), (None, None));
    host.restart().await.unwrap();
    assert_eq!(host.invoke(&json!({ "do": "echo" })).await.unwrap()["invocation"], 1, "it remembers nothing");
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_killed() {
    let host = start(&[], Duration::from_millis(200)).await.unwrap();
    let process = host.process_id().unwrap();
    let error = host.invoke(&json!({ "do": "hang" })).await.unwrap_err();
    assert_eq!(error, FunctionError::TimedOut(Duration::from_millis(200)));
    assert!(!is_alive(process));
    assert_eq!(host.invoke(&json!({ "do": "echo" })).await, Err(FunctionError::NotRunning));
}

#[tokio::test]
async fn a_function_is_killed_midway_and_the_next_one_works() {
    let host = host().await;
    for round in 0..5 {
        let process = host.process_id().unwrap();
        let from = host.log().len();
        let hang = json!({ "do": "hang" });
        let killed = async {
            let begun = host.wait_for_log(from, "begun").await;
            host.kill();
            begun
        };
        let (response, begun) = tokio::join!(host.invoke(&hang), killed);
        begun.unwrap();
        assert_eq!(response, Err(FunctionError::Exited("signal: 9 (SIGKILL)".into())), "round {round}");
        assert!(!is_alive(process));
        host.restart().await.unwrap();
        let response = host.invoke(&json!({ "do": "echo", "round": round })).await.unwrap();
        assert_eq!((&response["invocation"], &response["event"]["round"]), (&json!(1), &json!(round)));
    }
}

#[tokio::test]
async fn a_restart_ends_a_running_invocation() {
    let host = host().await;
    let hang = json!({ "do": "hang" });
    let restarted = async {
        host.wait_for_log(0, "begun").await.unwrap();
        host.restart().await.unwrap();
    };
    let (response, ()) = tokio::join!(host.invoke(&hang), restarted);
    assert!(matches!(response, Err(FunctionError::Exited(_))), "{response:?}");
    assert_eq!(host.invoke(&json!({ "do": "echo" })).await.unwrap()["invocation"], 1);
}

#[tokio::test]
async fn the_process_ends_with_its_host() {
    let process = {
        let host = host().await;
        let process = host.process_id().unwrap();
        assert!(is_alive(process));
        process
    };
    assert!(!is_alive(process));
}

#[tokio::test]
async fn a_functions_output_is_logged() {
    let host = start(&[("INIT", "none")], LONG).await.unwrap();
    host.invoke(&json!({ "do": "say" })).await.unwrap();
    host.wait_for_log(0, "to standard output").await.unwrap();
    assert_eq!(host.wait_for_log(0, "standard error").await.unwrap(), "to standard error");
}

#[tokio::test]
async fn init_is_measured_from_the_start_of_the_process_to_its_first_request_for_an_event() {
    let host = start(&[("INIT", "sleep")], LONG).await.unwrap();
    assert!(host.init_time() >= Duration::from_millis(300), "{:?}", host.init_time());
    host.invoke(&json!({ "do": "echo" })).await.unwrap();
    assert!(host.init_time() < LONG);
}

#[tokio::test]
async fn the_peak_of_memory_stays_when_the_memory_is_freed() {
    let host = host().await;
    let before = host.peak_memory_kb().unwrap();
    let bytes = 64 * 1_024 * 1_024;
    assert_eq!(host.invoke(&json!({ "do": "allocate", "bytes": bytes })).await.unwrap(), bytes);
    host.invoke(&json!({ "do": "echo" })).await.unwrap();
    let after = host.peak_memory_kb().unwrap();
    assert!((64_000..80_000).contains(&(after - before)), "{before} and {after} kB");
}
