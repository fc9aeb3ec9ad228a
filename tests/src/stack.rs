//! The project's template, built and deployed with SAM as its users do it.
//!
//! The functions are built each for itself, in the workspace's target folder: cold this takes minutes, and after that
//! Cargo builds only what has changed. What SAM makes beside it goes into a folder that the
//! caller names.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::local::LocalAws;

/// What `sam build` calls the functions' folders, by the functions' names.
const RESOURCES: [(&str, &str); 6] = [
    ("planner", "PlannerFunction"),
    ("poller", "PollerFunction"),
    ("metrics", "MetricsFunction"),
    ("rollup", "RollupFunction"),
    ("alerts", "AlertsFunction"),
    ("api", "ApiFunction"),
];

/// How Cargo builds what tests are to wait for less.
const QUICKLY: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
];

/// The functions' variables that name a resource, and the outputs that tell its name.
pub const VARIABLES: [(&str, &str); 11] = [
    ("STOOP_BUCKET", "BucketName"),
    ("STOOP_STREAM", "StreamName"),
    ("STOOP_HOMES_TABLE", "HomesTableName"),
    ("STOOP_MARKETS_TABLE", "MarketsTableName"),
    // Of the generation in use alone; the template lists what there is.
    ("STOOP_MARKETS_TABLES", "MarketsTableName"),
    ("STOOP_ALERTS_TABLE", "AlertsTableName"),
    ("STOOP_RUNS_TABLE", "RunsTableName"),
    ("STOOP_DELIVERY_STREAM", "DeliveryStreamName"),
    ("STOOP_TOPIC_ARN", "TopicArn"),
    ("STOOP_QUEUE_URL", "QueueUrl"),
    ("STOOP_API_TOKEN_SECRET", "ApiTokenSecretArn"),
];

/// The template and the six binaries, ready to be deployed.
#[derive(Debug)]
pub struct Built {
    folder: PathBuf,
}

/// `infra/follower.yaml` and its binary, ready to be deployed.
#[derive(Debug)]
pub struct BuiltFollower {
    folder: PathBuf,
}

/// A deployed stack: its name and its outputs.
#[derive(Debug)]
pub struct Stack {
    name: String,
    outputs: BTreeMap<String, String>,
}

/// The processor of this machine, in the words of the template: emulators run functions as processes.
///
/// # Errors
/// When the template knows no such processor.
pub fn architecture() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("x86_64"),
        "aarch64" => Ok("arm64"),
        other => anyhow::bail!("functions run on x86_64 and arm64; this machine is {other}"),
    }
}

impl Built {
    /// Runs `sam build` into `folder`, as for a deployment. It says how it goes on standard error.
    ///
    /// # Errors
    /// When SAM or Cargo fails: with all that they said.
    pub fn for_release(aws: &LocalAws, folder: &Path) -> Result<Self> {
        Self::for_release_on(aws, folder, architecture()?)
    }

    /// As [`Self::for_release`], for another processor, in the words of the template. They start on this machine where
    /// something else runs them: [`Self::run_by`].
    ///
    /// # Errors
    /// When SAM or Cargo fails: with all that they said.
    pub fn for_release_on(aws: &LocalAws, folder: &Path, architecture: &str) -> Result<Self> {
        Self::with_sam(sam(aws, "build")?, folder, architecture)
    }

    /// As [`Self::for_release`], but quickly built: optimised little, and not as a whole. What the functions do is
    /// the same, what they weigh and take is not.
    ///
    /// # Errors
    /// When SAM or Cargo fails: with all that they said.
    pub fn for_tests(aws: &LocalAws, folder: &Path) -> Result<Self> {
        let mut command = sam(aws, "build")?;
        command.envs(QUICKLY);
        Self::with_sam(command, folder, architecture()?)
    }

    fn with_sam(mut command: Command, folder: &Path, architecture: &str) -> Result<Self> {
        command.arg("--build-dir").arg(folder);
        command.arg("--parameter-overrides").arg(format!("Architecture={architecture}"));
        run(&mut command)?;
        Self::at(folder)
    }

    /// What an earlier `sam build` made there, as `.aws-sam/build`: a path that is relative begins at the project's
    /// folder.
    ///
    /// # Errors
    /// When a function or the template is missing.
    pub fn at(folder: &Path) -> Result<Self> {
        let folder = project().join(folder);
        let folder = folder.canonicalize().with_context(|| format!("{} is not there", folder.display()))?;
        let built = Self { folder };
        for (function, _) in RESOURCES {
            let binary = built.binary(function)?;
            ensure!(binary.exists(), "`sam build` made no {}", binary.display());
        }
        ensure!(built.template().exists(), "`sam build` made no {}", built.template().display());
        Ok(built)
    }

    fn template(&self) -> PathBuf {
        self.folder.join("template.yaml")
    }

    /// The binary of `planner`, `poller`, `metrics`, `rollup`, `alerts` or `api`.
    ///
    /// # Errors
    /// When there is no such function.
    pub fn binary(&self, function: &str) -> Result<PathBuf> {
        let known = RESOURCES.iter().find(|(name, _)| *name == function);
        let (_, resource) = known.with_context(|| format!("no function is called {function}"))?;
        Ok(self.folder.join(resource).join("bootstrap"))
    }

    /// Puts a script in each binary's place that hands the binary to `runner`, an emulator of its processor: whoever
    /// starts the functions, a host of ours or MiniStack, starts them with it. Gives where the binaries are now.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn run_by(&self, runner: &str) -> Result<BTreeMap<&'static str, PathBuf>> {
        let mut moved = BTreeMap::new();
        for (function, _) in RESOURCES {
            let bootstrap = self.binary(function)?;
            let program = bootstrap.with_file_name("program");
            let cannot = || format!("can't put a script in the place of {}", bootstrap.display());
            std::fs::rename(&bootstrap, &program).with_context(cannot)?;
            let script = format!("#!/bin/sh\nexec {runner} \"${{0%/*}}/program\"\n");
            std::fs::write(&bootstrap, script).with_context(cannot)?;
            std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755)).with_context(cannot)?;
            moved.insert(function, program);
        }
        Ok(moved)
    }

    /// Runs `sam deploy` and reads the stack's outputs. Parameters that are not given have the template's defaults.
    ///
    /// # Errors
    /// When SAM fails: with all that it said.
    pub fn deploy(&self, aws: &LocalAws, name: &str, parameters: &[(&str, &str)]) -> Result<Stack> {
        deploy(aws, &self.template(), name, parameters)
    }
}

impl BuiltFollower {
    /// Runs `sam build` of the follower into `folder`, as [`Built::for_tests`] does.
    ///
    /// # Errors
    /// When SAM or Cargo fails: with all that they said.
    pub fn for_tests(aws: &LocalAws, folder: &Path) -> Result<Self> {
        let mut command = sam(aws, "build")?;
        command.envs(QUICKLY).arg("--config-file").arg(project().join("samconfig.toml"));
        command.args(["--template-file", "infra/follower.yaml"]).arg("--build-dir").arg(folder);
        command.arg("--parameter-overrides").arg(format!("Architecture={}", architecture()?));
        run(&mut command)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Runs `sam deploy`, as [`Built::deploy`] does.
    ///
    /// # Errors
    /// When SAM fails: with all that it said.
    pub fn deploy(&self, aws: &LocalAws, name: &str, parameters: &[(&str, &str)]) -> Result<Stack> {
        deploy(aws, &self.folder.join("template.yaml"), name, parameters)
    }
}

fn deploy(aws: &LocalAws, template: &Path, name: &str, parameters: &[(&str, &str)]) -> Result<Stack> {
    let mut command = sam(aws, "deploy")?;
    // SAM looks for it beside the template.
    command.arg("--config-file").arg(project().join("samconfig.toml"));
    command.arg("--template-file").arg(template);
    command.args(["--stack-name", name, "--no-confirm-changeset", "--no-progressbar"]);
    command.args(["--parameter-overrides", &format!("Architecture={}", architecture()?)]);
    command.args(parameters.iter().map(|(name, value)| format!("{name}={value}")));
    run_silently(&mut command)?;
    Ok(Stack { name: name.to_owned(), outputs: outputs(aws, name)? })
}

impl Stack {
    /// The stack's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An output of the template.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn output(&self, name: &str) -> Result<&str> {
        let value = self.outputs.get(name).map(String::as_str);
        value.with_context(|| format!("the stack {} has no output {name}; it has {:?}", self.name, self.outputs.keys()))
    }

    /// What the template gives the functions, all of it to each, and what they need to reach this endpoint.
    ///
    /// # Errors
    /// When the stack lacks an output.
    pub fn environment(&self, aws: &LocalAws) -> Result<Vec<(String, String)>> {
        let mut environment = vec![
            ("STOOP_STACK".to_owned(), self.name.clone()),
            ("STOOP_LOG".to_owned(), "warn".to_owned()),
            ("STOOP_DROP_PERCENT".to_owned(), "15".to_owned()),
        ];
        for (variable, output) in VARIABLES {
            environment.push((variable.to_owned(), self.output(output)?.to_owned()));
        }
        let own = aws.environment().into_iter().filter(|(name, _)| name.starts_with("AWS_"));
        environment.extend(own.filter_map(|(name, value)| Some((name, value.into_string().ok()?))));
        Ok(environment)
    }

    /// Runs `sam delete`. The two buckets stay, as the template wants it.
    ///
    /// # Errors
    /// When SAM fails: with all that it said.
    pub fn delete(&self, aws: &LocalAws) -> Result<()> {
        let mut command = sam(aws, "delete")?;
        run_silently(command.args(["--stack-name", &self.name, "--no-prompts"]))
    }
}

fn outputs(aws: &LocalAws, name: &str) -> Result<BTreeMap<String, String>> {
    let mut command = sam(aws, "list")?;
    let out = command.args(["stack-outputs", "--stack-name", name, "--output", "json"]).output()?;
    let stdout = String::from_utf8_lossy(&out.stdout);
    let stderr = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "`sam list stack-outputs` ended with {}\n{stdout}{stderr}", out.status);
    let outputs: Vec<Value> =
        serde_json::from_str(&stdout).with_context(|| format!("no outputs of the stack {name}:\n{stdout}{stderr}"))?;
    let text = |output: &Value, key: &str| output[key].as_str().map(str::to_owned);
    Ok(outputs.iter().filter_map(|output| Some((text(output, "OutputKey")?, text(output, "OutputValue")?))).collect())
}

/// `sam <command>` in the project's folder, where its template and its `samconfig.toml` are.
fn sam(aws: &LocalAws, command: &str) -> Result<Command> {
    let mut sam = aws.command(aws.tool("sam")?);
    sam.arg(command).current_dir(project());
    // What Cargo sets for a test is not there when a user builds, and some crates would be built again for it.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_a_test(name)) {
        sam.env_remove(name);
    }
    Ok(sam)
}

/// The folder of the project, which has the template in it.
#[must_use]
pub fn project() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

fn is_of_a_test(variable: &OsString) -> bool {
    let Some(name) = variable.to_str() else { return false };
    let of_the_package = ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    of_the_package.iter().any(|prefix| name.starts_with(prefix))
        || matches!(name, "CARGO" | "CARGO_TARGET_TMPDIR" | "LD_LIBRARY_PATH" | "OUT_DIR")
}

/// Runs it to its end, what it says on our standard error.
fn run(command: &mut Command) -> Result<()> {
    let name = format!("{command:?}");
    let out = command.stdout(std::io::stderr()).status().with_context(|| format!("can't run {name}"))?;
    ensure!(out.success(), "{name} ended with {out}: see above");
    Ok(())
}

/// Runs it to its end, and shows what it said if that was not a good one.
fn run_silently(command: &mut Command) -> Result<()> {
    let out = command.output().with_context(|| format!("can't run {command:?}"))?;
    let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    ensure!(out.status.success(), "{command:?} ended with {}\n{stdout}{stderr}", out.status);
    Ok(())
}
