//! Behaviour of Lambda that no emulator has.

use std::time::Duration;

use serde_json::json;
use stoop_tests::host::{Account, FunctionError, INVOCATIONS_MAX, RecursiveLoop, TraceHeader};
use stoop_tests::service::{Message, Service, follow};

use super::host;

/// The state of a process in `/proc`: running, sleeping, stopped.
fn state(process: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("State:")).unwrap().trim().to_owned()
}

async fn is_stopped(process: u32) {
    stoop_waits::within("a stopped process", async {
        while !state(process).starts_with('T') {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_process_is_stopped_between_invocations_and_continues_with_the_next() {
    let host = host().await;
    for invocation in 1..=3 {
        assert_eq!(host.invoke(&json!({ "do": "echo" })).await.unwrap()["invocation"], invocation);
        host.freeze().await;
        is_stopped(host.process_id().unwrap()).await;
    }
    host.kill();
    assert_eq!(
        host.invoke(&json!({ "do": "echo" })).await,
        Err(FunctionError::NotRunning),
        "a frozen one can be killed"
    );
    host.freeze().await;
}

#[tokio::test]
async fn temporary_files_stay_until_the_environment_ends() {
    let folder = {
        let host = host().await;
        let keep = json!({ "do": "keep" });
        assert_eq!(host.invoke(&keep).await.unwrap(), "");
        assert_eq!(host.invoke(&keep).await.unwrap(), "1 ");
        host.restart().await.unwrap();
        assert_eq!(host.invoke(&keep).await.unwrap(), "1 2 ", "another process finds the files of the previous one");
        assert_eq!(std::fs::read_to_string(host.temporary().join("kept")).unwrap(), "1 2 1 ");
        host.temporary().to_owned()
    };
    assert!(!folder.exists());
    assert_eq!(host().await.invoke(&json!({ "do": "keep" })).await.unwrap(), "", "another environment has its own");
}

#[tokio::test]
async fn an_account_throttles_beyond_its_concurrency() {
    let account = Account::new(2);
    let (one, two, three) = (host().await, host().await, host().await);
    let (hang, echo) = (json!({ "do": "hang" }), json!({ "do": "echo" }));
    let beyond = async {
        one.wait_for_log(0, "begun").await.unwrap();
        two.wait_for_log(0, "begun").await.unwrap();
        assert_eq!(account.under_way(), 2);
        assert_eq!(account.invoke(&three, &echo).await, Err(FunctionError::Throttled(2)));
        one.kill();
        two.kill();
    };
    let (first, second, ()) = tokio::join!(account.invoke(&one, &hang), account.invoke(&two, &hang), beyond);
    assert!(matches!((first, second), (Err(FunctionError::Exited(_)), Err(FunctionError::Exited(_)))));
    assert_eq!(account.under_way(), 0, "an execution that ended badly is free again");
    assert_eq!(account.invoke(&three, &echo).await.unwrap()["invocation"], 1, "the throttled event did not reach it");
}

#[tokio::test]
async fn a_returning_message_is_stopped_unless_the_function_allows_it() {
    let (host, service) = (host().await, Service::start().await.unwrap());
    let message = || Message { id: "first".into(), body: service.line().url(), group: "a".into(), trace: None };
    let stopped = follow(&host, &service, message(), RecursiveLoop::Terminate, 100).await;
    assert_eq!(stopped, Err(FunctionError::Recursive(INVOCATIONS_MAX)));
    let echo = host.invoke(&json!({ "do": "echo" })).await.unwrap();
    assert_eq!(echo["invocation"], INVOCATIONS_MAX + 1, "it was invoked sixteen times, and not once more");
    let allowed = follow(&host, &service, message(), RecursiveLoop::Allow, 40).await;
    assert_eq!(allowed, Ok(40));
    let last = service.calls().pop().unwrap();
    let trace = TraceHeader::parse(last.header("x-amzn-trace-id").unwrap());
    assert_eq!(trace.invocations("c512fbe3"), 40, "it is counted where it is allowed, too");
    // Every message that begins a chain has its own count.
    assert_eq!(follow(&host, &service, message(), RecursiveLoop::Terminate, 10).await, Ok(10));
}

#[test]
fn a_lineage_counts_each_function_and_keeps_the_rest_of_the_header() {
    let header =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=68fd508a:5|a87bd80c:1";
    let read = TraceHeader::parse(header);
    assert_eq!(read.to_string(), header);
    assert_eq!(["a87bd80c", "68fd508a", "00000000"].map(|function| read.invocations(function)), [1, 5, 0]);
    let next = read.invoke("a87bd80c", RecursiveLoop::Terminate).unwrap().to_string();
    assert_eq!(next, header.replace("a87bd80c:1", "a87bd80c:2"));
    let begun = TraceHeader::parse("Root=1-a;Sampled=0").invoke("c5", RecursiveLoop::Terminate).unwrap();
    assert_eq!(begun.to_string(), "Root=1-a;Sampled=0;Lineage=c5:1");
    assert_eq!(RecursiveLoop::of(None), RecursiveLoop::Terminate);
    assert_eq!(RecursiveLoop::of(Some("Allow")), RecursiveLoop::Allow);
}
