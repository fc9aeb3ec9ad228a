//! AWS on this machine starts, stops, and cleans up. Uses the emulator named by `STOOP_LOCAL_AWS`, whatever
//! `AWS_ENDPOINT_URL` says.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use stoop_tests::local::{EmulatorKind, LocalAws};
use stoop_waits::{Lines, PATIENCE, connected, ended, output, until};

fn start() -> LocalAws {
    LocalAws::start_emulator(EmulatorKind::emulator().unwrap()).unwrap()
}

fn address(aws: &LocalAws) -> String {
    aws.endpoint().strip_prefix("http://").unwrap().to_owned()
}

fn get(address: &str, path: &str) -> String {
    let mut stream = connected(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn is_silent(address: &str) -> bool {
    connected(address).is_err()
}

#[test]
fn it_answers_ends_with_the_drop_and_another_starts_at_once() {
    let first = start();
    let (there, log) = (address(&first), first.log().unwrap().to_owned());
    assert!(there.starts_with("127.0.0.1:"), "{there} is not loopback");
    assert!(get(&there, "/_localstack/health").starts_with("HTTP/1.1 200"));
    assert!(std::fs::metadata(&log).unwrap().len() > 0, "an empty log");
    assert!(first.tool("sam").unwrap().exists());
    let missing = first.tool("no-such-program").unwrap_err().to_string();
    assert!(missing.starts_with("no `no-such-program` in the virtual environment"), "{missing}");

    drop(first);
    assert!(is_silent(&there), "{there} still answers");
    assert!(!log.exists(), "{} was left behind", log.display());

    let second = start();
    assert!(get(&address(&second), "/_localstack/health").starts_with("HTTP/1.1 200"));
}

#[test]
fn its_environment_is_enough_for_the_sdk_and_resources_end_with_it() {
    let script = "import boto3\n\
                  s3 = boto3.client('s3')\n\
                  print(len(s3.list_buckets()['Buckets']))\n\
                  s3.create_bucket(Bucket='stoop-local')\n\
                  print(len(s3.list_buckets()['Buckets']))\n";
    for _ in 0..2 {
        let aws = start();
        let out = output(aws.command("python").args(["-c", script]), PATIENCE).unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), "0\n1\n", "{}", String::from_utf8_lossy(&out.stderr));
    }
}

#[test]
fn a_function_url_is_requested_at_the_endpoint_with_its_own_host() {
    let aws = start();
    let (url, host) = aws.function_url("https://abc.lambda-url.us-east-1.on.aws/api/v1/markets").unwrap();
    assert_eq!(url, format!("{}/api/v1/markets", aws.endpoint()));
    assert_eq!(host, "abc.lambda-url.us-east-1.on.aws");
    assert!(aws.function_url("abc").is_err());
}

/// A function in Python, called once, so that the emulator has a child process.
const CALLS_A_FUNCTION: &str = r##"
import boto3, io, sys, zipfile
code = f"""#!{sys.executable}
import os, urllib.request as http
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    call = http.urlopen(api + "next").headers["Lambda-Runtime-Aws-Request-Id"]
    http.urlopen(http.Request(api + call + "/response", data=str(os.getpid()).encode(), method="POST"))
"""
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as file:
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o755 << 16
    file.writestr(entry, code)
functions = boto3.client("lambda")
functions.create_function(
    FunctionName="f", Runtime="provided.al2023", Handler="bootstrap", Timeout=30,
    Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": archive.getvalue()},
)
functions.get_waiter("function_active_v2").wait(FunctionName="f")
print(functions.invoke(FunctionName="f", Payload=b"{}")["Payload"].read().decode())
"##;

/// Not a test by itself: the next one runs it in its own process, and kills that.
#[test]
#[ignore = "waits until it is killed; run by a_killed_test_leaves_nothing_running"]
fn held_until_killed() {
    let aws = start();
    let out = output(aws.command("python").args(["-c", CALLS_A_FUNCTION]), PATIENCE).unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let function = String::from_utf8(out.stdout).unwrap();
    println!("\nheld: {} {}", address(&aws), function.trim());
    std::thread::sleep(PATIENCE);
}

#[test]
fn a_killed_test_leaves_nothing_running() {
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "local::held_until_killed", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Lines::of(test.stdout.take().unwrap());
    let mut lines = std::iter::from_fn(|| lines.next("what the test holds"));
    let held = lines.find_map(|line| Some(line.strip_prefix("held: ")?.to_owned()));
    let held = held.expect("it ended before it held anything");
    let (there, function) = held.split_once(' ').unwrap();
    let below = descendants(test.id());
    assert!(below.contains(&function.parse().unwrap()), "the function's process {function} is not below: {below:?}");

    test.kill().unwrap();
    ended(&mut test, "the end of the killed test", PATIENCE).unwrap();
    until(&format!("the end of {below:?} and silence at {there}"), || {
        (is_silent(there) && !below.iter().any(|&pid| is_running(pid))).then_some(())
    });
}

/// `(pid, parent)` of every running process.
fn processes() -> Vec<(u32, u32)> {
    let out = output(Command::new("ps").args(["-A", "-o", "pid=,ppid=,stat="]), PATIENCE).unwrap();
    let listing = String::from_utf8(out.stdout).unwrap();
    let rows = listing.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| !row[2].starts_with('Z')).map(|row| (row[0].parse().unwrap(), row[1].parse().unwrap())).collect()
}

fn descendants(of: u32) -> Vec<u32> {
    let (all, mut found) = (processes(), vec![of]);
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(all.iter().filter(|(_, above)| *above == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

fn is_running(pid: u32) -> bool {
    processes().iter().any(|(running, _)| *running == pid)
}
