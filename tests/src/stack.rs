//! The project's template, built and deployed with SAM like its users do.
//!
//! Each function is built separately, in the workspace's target folder: the first build takes minutes, later ones only
//! what has changed. SAM's other output goes into a folder of the caller.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stoop_waits::{LONG, PATIENCE, output, status};

use crate::local::LocalAws;

/// The folders of the functions in SAM's build, by function name.
const RESOURCES: [(&str, &str); 6] = [
    ("planner", "PlannerFunction"),
    ("poller", "PollerFunction"),
    ("metrics", "MetricsFunction"),
    ("rollup", "RollupFunction"),
    ("alerts", "AlertsFunction"),
    ("api", "ApiFunction"),
];

/// Cargo settings for a faster build in tests.
const QUICKLY: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
];

/// The functions' variables that name a resource, and the outputs with its name.
pub const VARIABLES: [(&str, &str); 12] = [
    ("STOOP_BUCKET", "BucketName"),
    ("STOOP_STREAM", "StreamName"),
    ("STOOP_HOMES_TABLE", "HomesTableName"),
    ("STOOP_MARKETS_TABLE", "MarketsTableName"),
    // Only the generation in use; the template lists all.
    ("STOOP_HOMES_TABLES", "HomesTableName"),
    ("STOOP_MARKETS_TABLES", "MarketsTableName"),
    ("STOOP_ALERTS_TABLE", "AlertsTableName"),
    ("STOOP_RUNS_TABLE", "RunsTableName"),
    ("STOOP_DELIVERY_STREAM", "DeliveryStreamName"),
    ("STOOP_TOPIC_ARN", "TopicArn"),
    ("STOOP_QUEUE_URL", "QueueUrl"),
    ("STOOP_API_TOKEN_SECRET", "ApiTokenSecretArn"),
];

/// The template and the six binaries, ready to deploy.
#[derive(Debug)]
pub struct Built {
    folder: PathBuf,
}

/// A template of `infra` for a stack beside the main one, with its only binary, ready to deploy.
#[derive(Debug)]
pub struct BuiltBeside {
    folder: PathBuf,
}

/// A deployed stack: its name and its outputs.
#[derive(Debug)]
pub struct Stack {
    name: String,
    outputs: BTreeMap<String, String>,
}

/// The processor of this machine, as named in the template: emulators run functions as processes.
///
/// # Errors
///
/// The template does not know the processor.
pub fn architecture() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("x86_64"),
        "aarch64" => Ok("arm64"),
        other => anyhow::bail!("functions run on x86_64 and arm64; this machine is {other}"),
    }
}

impl Built {
    /// Runs `sam build` into `folder`, as for a deployment. Progress goes to standard error.
    ///
    /// # Errors
    ///
    /// SAM or Cargo fails: with all their output.
    pub fn for_release(aws: &LocalAws, folder: &Path) -> Result<Self> {
        Self::for_release_on(aws, folder, architecture()?)
    }

    /// Like [`Self::for_release`], for another processor, as named in the template. On this machine the binaries need
    /// an emulator: [`Self::run_by`].
    ///
    /// # Errors
    ///
    /// SAM or Cargo fails: with all their output.
    pub fn for_release_on(aws: &LocalAws, folder: &Path, architecture: &str) -> Result<Self> {
        Self::with_sam(sam(aws, "build")?, folder, architecture)
    }

    /// Like [`Self::for_release`], with little optimisation. The functions behave the same; their size and speed
    /// differ.
    ///
    /// # Errors
    ///
    /// SAM or Cargo fails: with all their output.
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

    /// The result of an earlier `sam build` in this folder, such as `.aws-sam/build`; a relative path begins at the
    /// project's folder.
    ///
    /// # Errors
    ///
    /// A function or the template is missing.
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
    ///
    /// There is no such function.
    pub fn binary(&self, function: &str) -> Result<PathBuf> {
        let known = RESOURCES.iter().find(|(name, _)| *name == function);
        let (_, resource) = known.with_context(|| format!("there is no function {function}"))?;
        Ok(self.folder.join(resource).join("bootstrap"))
    }

    /// Replaces each binary by a script that runs it with `runner`, an emulator of its processor, so that this host and
    /// MiniStack can both start it. Returns the new paths of the binaries.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn run_by(&self, runner: &str) -> Result<BTreeMap<&'static str, PathBuf>> {
        let mut moved = BTreeMap::new();
        for (function, _) in RESOURCES {
            let bootstrap = self.binary(function)?;
            let program = bootstrap.with_file_name("program");
            let cannot = || format!("cannot replace {} by a script", bootstrap.display());
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
    ///
    /// SAM fails: with all its output.
    pub fn deploy(&self, aws: &LocalAws, name: &str, parameters: &[(&str, &str)]) -> Result<Stack> {
        deploy(aws, &self.template(), name, parameters)
    }
}

impl BuiltBeside {
    /// Runs `sam build` for a template such as `infra/follower.yaml` into `folder`, like [`Built::for_tests`].
    ///
    /// # Errors
    ///
    /// SAM or Cargo fails: with all their output.
    pub fn for_tests(aws: &LocalAws, template: &str, folder: &Path) -> Result<Self> {
        let mut command = sam(aws, "build")?;
        command.envs(QUICKLY);
        Self::with_sam(command, template, folder)
    }

    /// The same, as for a deployment.
    ///
    /// # Errors
    ///
    /// SAM or Cargo fails: with all their output.
    pub fn for_release(aws: &LocalAws, template: &str, folder: &Path) -> Result<Self> {
        Self::with_sam(sam(aws, "build")?, template, folder)
    }

    fn with_sam(mut command: Command, template: &str, folder: &Path) -> Result<Self> {
        command.arg("--config-file").arg(project().join("samconfig.toml"));
        command.args(["--template-file", template]).arg("--build-dir").arg(folder);
        command.arg("--parameter-overrides").arg(format!("Architecture={}", architecture()?));
        run(&mut command)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The binary of a function, by its name in the template.
    #[must_use]
    pub fn binary(&self, resource: &str) -> PathBuf {
        self.folder.join(resource).join("bootstrap")
    }

    /// Runs `sam deploy`, like [`Built::deploy`].
    ///
    /// # Errors
    ///
    /// SAM fails: with all its output.
    pub fn deploy(&self, aws: &LocalAws, name: &str, parameters: &[(&str, &str)]) -> Result<Stack> {
        deploy(aws, &self.folder.join("template.yaml"), name, parameters)
    }
}

fn deploy(aws: &LocalAws, template: &Path, name: &str, parameters: &[(&str, &str)]) -> Result<Stack> {
    let mut command = sam(aws, "deploy")?;
    // SAM searches it next to the template.
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
    ///
    /// There is none of this name.
    pub fn output(&self, name: &str) -> Result<&str> {
        let value = self.outputs.get(name).map(String::as_str);
        value.with_context(|| format!("the stack {} has no output {name}; it has {:?}", self.name, self.outputs.keys()))
    }

    /// All variables that the template gives to any function, and those for this endpoint.
    ///
    /// # Errors
    ///
    /// The stack lacks an output.
    pub fn environment(&self, aws: &LocalAws) -> Result<Vec<(String, String)>> {
        let mut environment = vec![
            ("STOOP_STACK".to_owned(), self.name.clone()),
            ("STOOP_LOG".to_owned(), "warn".to_owned()),
            ("STOOP_DROP_PERCENT".to_owned(), "15".to_owned()),
            ("STOOP_MERGE_LISTINGS".to_owned(), "off".to_owned()),
        ];
        for (variable, output) in VARIABLES {
            environment.push((variable.to_owned(), self.output(output)?.to_owned()));
        }
        let own = aws.environment().into_iter().filter(|(name, _)| name.starts_with("AWS_"));
        environment.extend(own.filter_map(|(name, value)| Some((name, value.into_string().ok()?))));
        Ok(environment)
    }

    /// Runs `sam delete`. The two buckets stay, as the template says.
    ///
    /// # Errors
    ///
    /// SAM fails: with all its output.
    pub fn delete(&self, aws: &LocalAws) -> Result<()> {
        let mut command = sam(aws, "delete")?;
        run_silently(command.args(["--stack-name", &self.name, "--no-prompts"]))
    }
}

fn outputs(aws: &LocalAws, name: &str) -> Result<BTreeMap<String, String>> {
    let mut command = sam(aws, "list")?;
    let out = output(command.args(["stack-outputs", "--stack-name", name, "--output", "json"]), PATIENCE)?;
    let stdout = String::from_utf8_lossy(&out.stdout);
    let stderr = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "`sam list stack-outputs` ended with {}\n{stdout}{stderr}", out.status);
    let outputs: Vec<Value> =
        serde_json::from_str(&stdout).with_context(|| format!("no outputs of the stack {name}:\n{stdout}{stderr}"))?;
    let text = |output: &Value, key: &str| output[key].as_str().map(str::to_owned);
    Ok(outputs.iter().filter_map(|output| Some((text(output, "OutputKey")?, text(output, "OutputValue")?))).collect())
}

/// `sam <command>` in the project's folder, with its template and its `samconfig.toml`.
fn sam(aws: &LocalAws, command: &str) -> Result<Command> {
    let mut sam = aws.command(aws.tool("sam")?);
    sam.arg(command).current_dir(project());
    // Cargo's variables for a test are missing in a user's build, and would make some crates build again.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_a_test(name)) {
        sam.env_remove(name);
    }
    Ok(sam)
}

/// The project's folder, which contains the template.
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

/// Runs it to its end, with its output on standard error.
fn run(command: &mut Command) -> Result<()> {
    let name = format!("{command:?}");
    let out = status(command.stdout(std::io::stderr()), LONG).with_context(|| format!("can't run {name}"))?;
    ensure!(out.success(), "{name} ended with {out}: see above");
    Ok(())
}

/// Runs it to its end, and shows its output if it failed.
fn run_silently(command: &mut Command) -> Result<()> {
    let out = output(command, LONG).with_context(|| format!("can't run {command:?}"))?;
    let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    ensure!(out.status.success(), "{command:?} ended with {}\n{stdout}{stderr}", out.status);
    Ok(())
}
