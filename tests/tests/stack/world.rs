//! The stack that all scenarios share, and their operations on it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use stoop_aws::Clients;
use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{RunOutcome, RunRecord};
use stoop_runtime::SystemClock;
use stoop_tests::local::{EmulatorKind, LocalAws};
use stoop_tests::stack::{Built, BuiltBeside, Stack};
use stoop_waits::LONG;
pub(crate) use stoop_waits::PATIENCE;
use stoop_waits::output;

use crate::cleanup;
use crate::raw::Raw;
use crate::state::State;
use crate::town::{SOURCE, TOKEN, Town};

/// The search that polls the town.
pub(crate) const SEARCH: &str = "town";
const ALERT_EMAIL: &str = "somebody@example.com";
/// The parameters of the deployment.
const PARAMETERS: [(&str, &str); 6] = [
    ("AlertEmail", ALERT_EMAIL),
    ("AlarmEmail", ALERT_EMAIL),
    ("LakeBufferMegabytes", "1"),
    ("LakeBufferSeconds", "0"),
    ("MetricsWindowSeconds", "0"),
    ("LogRetentionDays", "1"),
];

pub(crate) struct World {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) kind: EmulatorKind,
    pub(crate) clients: Clients,
    pub(crate) raw: Raw,
    pub(crate) state: State,
    pub(crate) town: Town,
    pub(crate) stack: Stack,
    pub(crate) built: Built,
    pub(crate) began: Time,
    /// For files of scenarios; deleted after the last one.
    folder: PathBuf,
    /// Whether the town was polled and measured for the first time, and what triggered it.
    polled: OnceLock<&'static str>,
    aws: Mutex<LocalAws>,
}

impl World {
    /// Builds and deploys. Blocks, the first time for many minutes.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let aws = LocalAws::start()?;
        say(&format!("{:?} answers at {}", aws.kind(), aws.endpoint()));
        let built = match std::env::var_os("STOOP_BUILT") {
            Some(there) => Built::at(Path::new(&there))?,
            None => {
                say("sam build: six functions; the first time this takes minutes");
                Built::for_tests(&aws, &folder.join("built"))?
            }
        };
        let name = format!("stoop-test-{}", std::process::id());
        say(&format!("sam deploy: the stack {name}"));
        let stack = built.deploy(&aws, &name, &PARAMETERS)?;
        let clients = Clients::from_variables(|name| variable(&aws, name))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self {
            state: State::new(&clients, &stack)?,
            raw: Raw::new(&aws)?,
            kind: aws.kind(),
            town: Town::new(),
            began: SystemClock.now(),
            polled: OnceLock::new(),
            runtime,
            clients,
            stack,
            built,
            folder: folder.to_owned(),
            aws: Mutex::new(aws),
        })
    }

    /// Removes what would stay behind an endpoint that somebody else started: the stack and its buckets.
    pub(crate) fn stop(self) -> Result<()> {
        let aws = self.aws.into_inner().unwrap_or_else(PoisonError::into_inner);
        if self.kind == EmulatorKind::Given {
            say("sam delete");
            let name = self.stack.name();
            self.runtime.block_on(cleanup::remove_others(&self.clients, name));
            self.stack.delete(&aws)?;
            self.runtime.block_on(cleanup::remove_buckets(&self.clients, &self.state, name));
        }
        Ok(())
    }

    /// The endpoint. A scenario that failed while it held the endpoint does not fail those after it.
    fn aws(&self) -> MutexGuard<'_, LocalAws> {
        self.aws.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the log of a failed run: copies the emulator's log to this folder.
    pub(crate) fn keep_log(&self, folder: &Path) -> Option<PathBuf> {
        let aws = self.aws();
        let copy = folder.join("stack-emulator.log");
        std::fs::copy(aws.log()?, &copy).ok().map(|_| copy)
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.stack.output(name).unwrap()
    }

    /// A variable of our processes for the endpoint.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        variable(&self.aws(), name)
    }

    /// Runs a program in the project's folder with the variables for this endpoint, and returns its output, whatever
    /// its exit code.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = self.aws().command(program);
        let out = output(command.args(arguments).current_dir(stoop_tests::stack::project()), LONG).unwrap();
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
    }

    /// Deploys the stack again, with these additional parameters. Blocks.
    pub(crate) fn deploy_again(&self, parameters: &[(&str, &str)]) -> Stack {
        say(&format!("sam deploy: {parameters:?}"));
        let all = [&PARAMETERS[..], parameters].concat();
        self.built.deploy(&self.aws(), self.stack.name(), &all).unwrap()
    }

    /// Builds `infra/NAME.yaml`, from this checkout. Blocks.
    pub(crate) fn build_beside(&self, name: &str) -> BuiltBeside {
        say(&format!("sam build: the {name}"));
        let template = format!("infra/{name}.yaml");
        BuiltBeside::for_tests(&self.aws(), &template, &self.folder.join(name)).unwrap()
    }

    /// Deploys it next to the stack, or again. Blocks.
    pub(crate) fn deploy_beside(&self, built: &BuiltBeside, name: &str, parameters: &[(&str, &str)]) -> Stack {
        say(&format!("sam deploy: the {name}, {:?}", parameters.last()));
        let name = format!("{}-{name}", self.stack.name());
        built.deploy(&self.aws(), &name, parameters).unwrap()
    }

    /// Deletes another stack, and waits until its event source mappings are gone: Lambda deletes them some time after its
    /// answer, for which `LocalStack`'s `CloudFormation` does not wait; it refuses a stack of the same name until then.
    pub(crate) async fn delete(&self, stack: &Stack) {
        say(&format!("sam delete: {}", stack.name()));
        stack.delete(&self.aws()).unwrap();
        eventually("the event source mappings of the deleted stack are gone", || async {
            let left = self.raw.event_source_mappings(stack.name()).await.map_err(|error| format!("{error:#}"))?;
            if left.is_empty() { Ok(()) } else { Err(left.join(", ")) }
        })
        .await;
    }

    pub(crate) fn function_url(&self) -> (String, String) {
        self.aws().function_url(self.output("ApiUrl")).unwrap()
    }

    pub(crate) async fn upload(&self, name: &str, text: &str) {
        let request = self.clients.s3().put_object().bucket(self.output("BucketName")).key(format!("config/{name}"));
        request.body(text.to_owned().into_bytes().into()).send().await.unwrap();
    }

    /// A configuration with one search, of the town.
    pub(crate) fn configuration(&self) -> String {
        let url = self.town.portal.url();
        format!(
            r#"[alerts]
drop_percent = 15

[[search]]
name = "{SEARCH}"
source = "reso"
every = "1s"
full_scan_every = "24h"

[search.params]
url = "{url}/odata"
name = "{SOURCE}"
token = {{ secret = "portal", key = "token" }}
top = 25
"#
        )
    }

    /// Sets a source's secret, under the name that the poller may read.
    pub(crate) async fn set_secret(&self, name: &str, text: &str) {
        let (secrets, name) = (self.clients.secrets(), format!("{}{name}", self.output("SourceKeyPrefix")));
        let made = secrets.create_secret().name(&name).secret_string(text).send().await;
        // If an earlier scenario got this far and failed, this one must not fail because of it.
        if made.is_err() {
            secrets.put_secret_value().secret_id(&name).secret_string(text).send().await.unwrap();
        }
    }

    /// Uploads the configuration and waits until the schedule has fired and the town is polled: once, for all
    /// scenarios. Returns what triggered the poll.
    pub(crate) async fn polled_once(&self) -> &'static str {
        if let Some(how) = self.polled.get() {
            return how;
        }
        self.set_secret("portal", &json!({"token": TOKEN, "note": "not used"}).to_string()).await;
        self.upload("stoop.toml", &self.configuration()).await;
        let how = self.first_tick().await;
        say(how);
        eventually("every home of the town is in the table", || async {
            let stored = self.state.homes_of(SOURCE).await.len();
            (stored == self.town.homes()).then_some(()).ok_or_else(|| format!("{stored} of {}", self.town.homes()))
        })
        .await;
        self.polled.get_or_init(|| how)
    }

    /// MiniStack fires schedules. LocalStack only stores them, and a given endpoint is unknown: there this invokes the
    /// planner like the schedule.
    async fn first_tick(&self) -> &'static str {
        if self.kind == EmulatorKind::MiniStack {
            say("waiting for the schedule, which fires within a minute");
            eventually("the schedule fires", || async {
                (!self.runs(SEARCH).await.is_empty()).then_some(()).ok_or_else(|| "no run is recorded".to_owned())
            })
            .await;
            return "the schedule fired";
        }
        self.tick().await;
        "the planner was invoked: this emulator's schedules do not fire"
    }

    /// Invokes the planner like the schedule, now. Returns its response.
    pub(crate) async fn tick(&self) -> Value {
        let event = json!({"scheduled_time": SystemClock.now().to_string()});
        self.raw.invoke(self.output("PlannerFunctionName"), &event).await.unwrap()
    }

    /// Invokes the planner until it sends a search, and waits for the end of the poll. Returns the run.
    pub(crate) async fn poll(&self, search: &str) -> RunRecord {
        let began = SystemClock.now();
        // Searches are due every second, and a task due before the last poll began is dropped.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        eventually(&format!("{search} is due"), || async {
            let answer = self.tick().await;
            let sent = answer["sent"].as_array().is_some_and(|sent| sent.contains(&json!(search)));
            sent.then_some(()).ok_or_else(|| answer.to_string())
        })
        .await;
        let what = format!("a poll of {search} ends");
        eventually(&what, || async {
            let runs = self.runs(search).await;
            let ended = runs.iter().find(|run| run.began_at >= began && run.outcome != RunOutcome::Running);
            ended.cloned().ok_or_else(|| format!("{runs:?}"))
        })
        .await
    }

    /// The recorded runs of a search.
    pub(crate) async fn runs(&self, search: &str) -> Vec<RunRecord> {
        self.state.runs(search).await
    }

    /// A metric's sum over the lines of a function's log since `from`.
    pub(crate) async fn counted(&self, function: &str, metric: &str, from: Time) -> u64 {
        let lines = self.raw.log(self.output(function), from.ms()).await.unwrap();
        let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line.trim()).ok());
        parsed.filter(|line| line["_aws"].is_object()).filter_map(|line| line[metric].as_u64()).sum()
    }
}

fn variable(aws: &LocalAws, name: &str) -> Option<String> {
    let found = aws.environment().into_iter().find(|(known, _)| known == name);
    let found = found.and_then(|(_, value)| value.into_string().ok());
    found.or_else(|| std::env::var(name).ok()).filter(|value| !value.is_empty())
}

/// Prints progress.
pub(crate) fn say(what: &str) {
    eprintln!("[stack] {what}");
}

/// Retries until there is a result.
///
/// # Panics
///
/// There is none for a long time: with the last error.
pub(crate) async fn eventually<T, F: Future<Output = Result<T, String>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    const PAUSE: Duration = Duration::from_millis(150);
    let mut waited = Duration::ZERO;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(instead) => assert!(waited < PATIENCE, "not so within {PATIENCE:?}: {what}; {instead}"),
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
}

/// The world, or why there is none.
pub(crate) fn context(world: &Result<World>) -> Result<&World> {
    world.as_ref().map_err(|error| anyhow::anyhow!("{error:#}")).context("there is no stack")
}
