//! AWS on this machine: an emulator that runs as long as a test holds it.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let aws = stoop_tests::local::LocalAws::start()?;
//! let deployed = aws.command("sam").arg("deploy").status()?;
//! # Ok(()) }
//! ```
//!
//! | environment | what a test gets |
//! | --- | --- |
//! | (nothing) | MiniStack on a free loopback port |
//! | `STOOP_LOCAL_AWS=localstack` | LocalStack on a free loopback port |
//! | `AWS_ENDPOINT_URL=http://...` | that endpoint; nothing is started |
//! | `STOOP_VENV=...` | an existing virtual environment with `infra/ministack/requirements.txt` in it |
//! | `STOOP_VENV_LOCALSTACK=...` | the same for `infra/localstack/requirements.txt` |
//!
//! Without a named virtual environment, one is made in the user's cache folder; that takes the network and a minute or
//! two, once per change of the pinned versions.
//!
//! The emulator runs under a keeper (`infra/keeper.py`) that holds the other end of a pipe: when the [`LocalAws`] is
//! dropped, or the test is killed, the keeper ends everything that the emulator started and removes its files.
//! `infra/README.md` lists the differences from AWS and between the two emulators.

mod keeper;
mod venv;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use keeper::Keeper;
use venv::Venv;

/// Emulators require credentials and accept any. The name "test" gives account 000000000000 on both.
const KEY: &str = "test";
const REGION: &str = "us-east-1";
/// LocalStack needs about ten seconds on an idle machine.
const READY_WITHIN: Duration = stoop_waits::PATIENCE;
/// Another process may take the port between the choice of a free one and the emulator's bind.
const STARTS: usize = 3;

/// What answers at the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmulatorKind {
    /// MiniStack, started by us.
    MiniStack,
    /// LocalStack without Docker, started by us.
    LocalStack,
    /// The endpoint in `AWS_ENDPOINT_URL`, started by somebody else.
    Given,
}

impl EmulatorKind {
    /// The choice of the environment: `endpoint` is `AWS_ENDPOINT_URL`, `flag` is `STOOP_LOCAL_AWS`.
    fn asked_for(endpoint: Option<&str>, flag: Option<&str>) -> Result<Self> {
        let emulator = Self::flagged(flag)?;
        Ok(if endpoint.is_some_and(|url| !url.is_empty()) { Self::Given } else { emulator })
    }

    fn flagged(flag: Option<&str>) -> Result<Self> {
        match flag {
            None | Some("" | "ministack") => Ok(Self::MiniStack),
            Some("localstack") => Ok(Self::LocalStack),
            Some(other) => {
                bail!("STOOP_LOCAL_AWS is {other:?}: accepted are `ministack` (the default) and `localstack`")
            }
        }
    }

    /// The emulator named by `STOOP_LOCAL_AWS`, whatever `AWS_ENDPOINT_URL` says.
    ///
    /// # Errors
    ///
    /// The name is unknown.
    pub fn emulator() -> Result<Self> {
        Self::flagged(variable("STOOP_LOCAL_AWS").as_deref())
    }

    fn name(self) -> &'static str {
        match self {
            Self::MiniStack => "ministack",
            Self::LocalStack => "localstack",
            Self::Given => "given",
        }
    }
}

/// AWS on this machine, until it is dropped.
#[derive(Debug)]
pub struct LocalAws {
    kind: EmulatorKind,
    endpoint: String,
    tools: Venv,
    keeper: Option<Keeper>,
}

impl LocalAws {
    /// Starts what the environment asks for (see the [module](self)), and returns when it answers. Blocks.
    ///
    /// # Errors
    ///
    /// Python, pip or npm cannot make a virtual environment, or the emulator ends or does not answer within five
    /// minutes. The error names the log and shows its end.
    pub fn start() -> Result<Self> {
        let endpoint = variable("AWS_ENDPOINT_URL");
        match EmulatorKind::asked_for(endpoint.as_deref(), variable("STOOP_LOCAL_AWS").as_deref())? {
            EmulatorKind::Given => {
                let endpoint = endpoint.unwrap_or_default().trim_end_matches('/').to_owned();
                ensure!(
                    endpoint.starts_with("http://") || endpoint.starts_with("https://"),
                    "AWS_ENDPOINT_URL is {endpoint:?}: accepted is http://HOST:PORT or https://HOST"
                );
                Ok(Self { kind: EmulatorKind::Given, endpoint, tools: Venv::ministack()?, keeper: None })
            }
            emulator => Self::start_emulator(emulator),
        }
    }

    /// Starts this emulator, whatever the environment says.
    ///
    /// # Errors
    ///
    /// As for [`Self::start`], and for [`EmulatorKind::Given`], which cannot be started.
    pub fn start_emulator(kind: EmulatorKind) -> Result<Self> {
        let tools = Venv::ministack()?;
        let mut attempt = 1;
        loop {
            let port = keeper::free_port()?;
            let keeper = match kind {
                EmulatorKind::MiniStack => Self::ministack(&tools, port)?,
                EmulatorKind::LocalStack => Self::localstack(&Venv::localstack()?, &tools, port)?,
                EmulatorKind::Given => bail!("an endpoint that is given is not started: use LocalAws::start"),
            };
            let endpoint = format!("http://127.0.0.1:{port}");
            match keeper.wait_until_healthy(port, READY_WITHIN) {
                Ok(()) => return Ok(Self { kind, endpoint, tools, keeper: Some(keeper) }),
                Err(taken) if attempt < STARTS && keeper::answers(port) => {
                    eprintln!("{taken:#}; port {port} is in use now, trying another");
                    attempt += 1;
                }
                Err(error) => {
                    keeper.keep_log();
                    return Err(error.context(format!("{} did not start", kind.name())));
                }
            }
        }
    }

    fn ministack(tools: &Venv, port: u16) -> Result<Keeper> {
        let host = infra().join("ministack/host.py");
        let environment = emulator_environment([("GATEWAY_PORT", port.to_string().into())]);
        Keeper::start("ministack", &tools.python(), &host, environment)
    }

    fn localstack(venv: &Venv, tools: &Venv, port: u16) -> Result<Keeper> {
        let host = infra().join("localstack/host.py");
        let tables = tools.program("ministack")?;
        let environment = emulator_environment([
            ("GATEWAY_LISTEN", format!("127.0.0.1:{port}").into()),
            ("MINISTACK", tables.into_os_string()),
        ]);
        Keeper::start("localstack", &venv.python(), &host, environment)
    }

    /// What answers at the endpoint.
    pub fn kind(&self) -> EmulatorKind {
        self.kind
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash; or the given URL.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The emulator's log, if this started it. It is removed with the emulator, unless the test panics.
    pub fn log(&self) -> Option<&Path> {
        self.keeper.as_ref().map(Keeper::log)
    }

    /// A program of the virtual environment: `sam`, `cfn-lint`, `checkov`, `cargo-lambda`, `python`.
    ///
    /// # Errors
    ///
    /// It does not exist: the virtual environment named by `STOOP_VENV` may lack it.
    pub fn tool(&self, name: &str) -> Result<PathBuf> {
        self.tools.program(name)
    }

    /// The variables that a child process needs in addition to its own to use this endpoint: the endpoint, keys, a
    /// region, and the virtual environment's programs first on the path. [`Self::command`] sets them.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        let given = |name: &str, otherwise: &str| variable(name).unwrap_or_else(|| otherwise.to_owned());
        // Keys of a real account must not reach an emulator's log, nor "test" a real account.
        let own = self.kind != EmulatorKind::Given;
        let pick = |name: &str, value: &str| if own { value.to_owned() } else { given(name, value) };
        let region = pick("AWS_REGION", REGION);
        vec![
            ("AWS_ENDPOINT_URL".into(), self.endpoint.clone().into()),
            ("AWS_ACCESS_KEY_ID".into(), pick("AWS_ACCESS_KEY_ID", KEY).into()),
            ("AWS_SECRET_ACCESS_KEY".into(), pick("AWS_SECRET_ACCESS_KEY", KEY).into()),
            ("AWS_DEFAULT_REGION".into(), region.clone().into()),
            ("AWS_REGION".into(), region.into()),
            ("AWS_EC2_METADATA_DISABLED".into(), "true".into()),
            ("SAM_CLI_TELEMETRY".into(), "0".into()),
            ("PATH".into(), self.tools.path_variable()),
        ]
    }

    /// A command with [this environment](Self::environment). A program without a path is searched in the virtual
    /// environment first. For an emulator, the user's profile and session are removed.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let program = program.as_ref();
        let found = program.to_str().and_then(|name| self.tools.program(name).ok());
        let mut command = Command::new(found.as_deref().unwrap_or(program));
        command.envs(self.environment());
        if self.kind != EmulatorKind::Given {
            // Either would override the keys.
            command.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
        }
        command
    }

    /// How to reach a Lambda function URL, whose host is in no DNS: where to send the request, and its `Host` header.
    /// `url` is the stack's output.
    ///
    /// # Errors
    ///
    /// `url` is not a URL.
    pub fn function_url(&self, url: &str) -> Result<(String, String)> {
        let (_, rest) = url.split_once("://").with_context(|| format!("{url:?} is not a function URL"))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        ensure!(!host.is_empty(), "{url:?} is a URL without a host");
        Ok((format!("{}/{path}", self.endpoint), host.to_owned()))
    }
}

/// The Python of the virtual environment of [`LocalAws::tool`], for a test that needs its packages and no emulator.
///
/// # Errors
///
/// There is no such virtual environment and none can be made.
pub fn venv_python() -> Result<PathBuf> {
    Ok(Venv::ministack()?.python())
}

/// The Python of the virtual environment of Schemathesis.
///
/// # Errors
///
/// There is no such virtual environment and none can be made.
pub fn schemathesis_python() -> Result<PathBuf> {
    Ok(Venv::schemathesis()?.python())
}

/// A minimal environment: MiniStack passes its whole environment on to the functions.
fn emulator_environment<const N: usize>(own: [(&'static str, OsString); N]) -> Vec<(&'static str, OsString)> {
    let inherited = ["PATH", "HOME", "TMPDIR"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let keys = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", KEY), ("AWS_DEFAULT_REGION", REGION)];
    let set = keys.into_iter().chain([("LANG", "C.UTF-8"), ("PYTHONUNBUFFERED", "1")]);
    inherited.chain(set.map(|(name, value)| (name, value.into()))).chain(own).collect()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The project's `infra/` folder, whose files are used in place.
fn infra() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("infra")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flag_chooses_the_emulator_and_a_given_endpoint_wins() {
        assert_eq!(EmulatorKind::asked_for(None, None).unwrap(), EmulatorKind::MiniStack);
        assert_eq!(EmulatorKind::asked_for(None, Some("localstack")).unwrap(), EmulatorKind::LocalStack);
        assert_eq!(
            EmulatorKind::asked_for(Some("http://127.0.0.1:4566"), Some("localstack")).unwrap(),
            EmulatorKind::Given
        );
        assert_eq!(EmulatorKind::asked_for(Some(""), None).unwrap(), EmulatorKind::MiniStack);
    }

    #[test]
    fn an_unknown_emulator_is_named_with_the_known_ones() {
        let message = EmulatorKind::asked_for(None, Some("moto")).unwrap_err().to_string();
        assert_eq!(message, "STOOP_LOCAL_AWS is \"moto\": accepted are `ministack` (the default) and `localstack`");
    }
}
