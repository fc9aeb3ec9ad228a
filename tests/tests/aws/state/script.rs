//! `infra/state`: the programs that it calls with their arguments, and that paused mappings are resumed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stoop_waits::{PATIENCE, ended, output, status, until};

use crate::dynamo::{Tables, command};

/// Makes a stack with the outputs that the script reads, a mapping and a delivery stream; prints the mapping's ID.
const STACK: &str = r#"
import boto3, io, json, sys, time, zipfile
name, outputs = sys.argv[1], json.loads(sys.argv[2])
functions, streams, firehose = boto3.client("lambda"), boto3.client("kinesis"), boto3.client("firehose")
streams.create_stream(StreamName=name, ShardCount=1)
while (stream := streams.describe_stream(StreamName=name)["StreamDescription"])["StreamStatus"] != "ACTIVE":
    time.sleep(0.2)
code = io.BytesIO()
with zipfile.ZipFile(code, "w") as file:
    file.writestr("i.py", "def h(event, context): return {}")
role = "arn:aws:iam::000000000000:role/any"
functions.create_function(FunctionName=name, Runtime="python3.12", Role=role, Handler="i.h", Code={"ZipFile": code.getvalue()})
mapping = functions.create_event_source_mapping(
    FunctionName=name, EventSourceArn=stream["StreamARN"], StartingPosition="TRIM_HORIZON", BatchSize=10)
firehose.create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration={
    "RoleARN": role, "BucketARN": "arn:aws:s3:::" + name, "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 1}})
outputs |= {"MetricsMappingId": mapping["UUID"], "DeliveryStreamName": name}
template = {"Resources": {"Any": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}},
            "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
stacks = boto3.client("cloudformation")
stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
stacks.get_waiter("stack_create_complete").wait(StackName=name)
print(mapping["UUID"])
"#;

/// A fake of the programs that records its arguments and the mapping's state.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import boto3, os, sys, time
state = boto3.client("lambda").get_event_source_mapping(UUID=os.environ["MAPPING"])["State"]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + f" [{state}]\n")
time.sleep(float(os.environ["SLEEPS"]))
sys.exit(int(os.environ["ENDS"]))
"#;

struct Script {
    name: String,
    folder: tempfile::TempDir,
    mapping: String,
}

impl Script {
    fn new(one: &Tables, other: &Tables) -> Self {
        let (folder, name) = (tempfile::tempdir().unwrap(), one.homes.replace("-homes", "-stack"));
        let outputs = serde_json::json!({
            "BucketName": "data", "AlertsTableName": "alerts", "RunsTableName": "runs",
            "HomesTableName": one.homes, "MarketsTableName": one.markets,
            "HomesTableAName": one.homes, "MarketsTableAName": one.markets,
            "HomesTableBName": other.homes, "MarketsTableBName": other.markets,
        });
        let made = output(command("python3").args(["-c", STACK, &name, &outputs.to_string()]), PATIENCE).unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mapping = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        let script = Self { name, folder, mapping };
        let program = script.path("program");
        std::fs::write(&program, PROGRAM).unwrap();
        assert!(status(Command::new("chmod").arg("+x").arg(program), PATIENCE).unwrap().success());
        script
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, words: &[&str], sleeps: &str, ends: &str) -> Command {
        // Tests in the background may have inherited an ignored SIGINT.
        let mut command = command("env");
        command.args(["--default-signal=INT", "python3"]);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/state")).arg(&self.name).args(words);
        command.env("MAPPING", &self.mapping).env("CALLS", self.path("calls")).env("SLEEPS", sleeps).env("ENDS", ends);
        command.env("STOOP_AWS", self.path("program")).env("STOOP", self.path("program"));
        command.current_dir(self.folder.path());
        command
    }

    /// The result of a call, and the calls of programs that it made.
    fn run(&self, words: &[&str], ends: &str) -> (Option<i32>, Vec<String>, Output) {
        let output = output(&mut self.command(words, "0", ends), PATIENCE).unwrap();
        (output.status.code(), self.calls(), output)
    }

    fn calls(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.path("calls")).unwrap_or_default();
        std::fs::write(self.path("calls"), "").unwrap();
        calls.lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn the_script_finds_the_names_of_a_stack_and_resumes_what_it_paused() {
    let (one, other) = (Tables::new().await, Tables::new().await);
    let script = Script::new(&one, &other);
    let pull_a = format!(
        "pull d --bucket data --homes-table {} --markets-table {} --alerts-table alerts --runs-table runs",
        one.homes, one.markets
    );
    let b = format!("--homes-table {} --markets-table {}", other.homes, other.markets);
    let (code, calls, run) = script.run(&["pull", "d"], "0");
    assert_eq!((code, calls), (Some(0), vec![format!("{pull_a} [Enabled]")]), "{run:?}");
    let (code, calls, _) = script.run(&["pull", "d", "-g", "b"], "1");
    assert_eq!((code, calls), (Some(1), vec![format!("pull d --bucket data {b} [Enabled]")]));
    let (code, calls, _) = script.run(&["compare", "d"], "0");
    assert_eq!((code, calls), (Some(0), vec![format!("{pull_a} [Enabled]"), format!("compare d {b} [Enabled]")]));
    let (code, calls, _) = script.run(&["load", "d", "-g", "b"], "0");
    let load = format!("load d {b} --live-homes-table {} --yes [Enabled]", one.homes);
    assert_eq!((code, calls), (Some(0), vec![format!("pull d --bucket data {b} [Enabled]"), load.clone()]));
    assert_eq!(script.run(&["load", "d", "-g", "b", "--no-pull"], "0").1, [load]);
    for words in [&["load", "d", "-g", "a"][..], &["load", "d"], &["verify", "d", "-g", "b", "--pause"]] {
        let (code, calls, run) = script.run(words, "0");
        assert_eq!((code, calls), (Some(1), Vec::new()), "{run:?}");
    }

    // The mapping is paused while the tables are read, and resumed when that fails or is ended.
    let database = script.path("d");
    std::fs::create_dir(&database).unwrap();
    std::fs::write(database.join("stoop.db"), "").unwrap();
    let verify = "verify --db d/stoop.db [Enabled]".to_owned();
    for ends in ["0", "1"] {
        let (code, calls, run) = script.run(&["verify", "d", "--pause", "--wait", "0"], ends);
        let expected = vec![format!("{pull_a} [Disabled]"), verify.clone()];
        assert_eq!((code, calls), (ends.parse().ok(), expected), "{run:?}");
    }
    let mut running = script.command(&["pull", "d", "--pause", "--wait", "0"], "60", "0").spawn().unwrap();
    until("a call of the program", || {
        assert_eq!(running.try_wait().unwrap(), None);
        (!std::fs::read_to_string(script.path("calls")).unwrap_or_default().is_empty()).then_some(())
    });
    // Like Ctrl-C: the program gets the signal too.
    let pid = running.id().to_string();
    let children = output(Command::new("pgrep").args(["-P", &pid]), PATIENCE).unwrap();
    let child = String::from_utf8(children.stdout).unwrap().trim().to_owned();
    assert!(status(Command::new("kill").args(["-INT", &pid, &child]), PATIENCE).unwrap().success());
    assert_eq!(ended(&mut running, "the end of infra/state", PATIENCE).unwrap().code(), Some(130));
    assert_eq!(script.calls(), [format!("{pull_a} [Disabled]")]);
    assert_eq!(script.run(&["pull", "d"], "0").1, [format!("{pull_a} [Enabled]")]);
    one.delete().await;
    other.delete().await;
}
