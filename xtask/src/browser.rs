//! The pages in Chromium: runs the programs of `tests/browser`.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::debian;
use crate::project::Project;
use crate::server::Server;
use crate::tally::TestTally;
use crate::tree::hash;
use crate::watch::{INSTALLS_WITHIN, within};

const HARNESS: &str = "tests/browser";
/// The pictures of `docs/TOURS.md`.
const PICTURES: &str = "docs/pages";
/// What pins the packages: copied to where they are installed.
const PINS: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];
/// The last file of a complete installation.
const COMPLETE: &str = "complete";
/// Environment variable with the path of Chromium.
const CHROMIUM: &str = "STOOP_CHROMIUM";
/// Names of Chromium: a program of one of them is enough.
const CHROMIUM_NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
/// Debian's packages of it. With the fonts, text is equally wide on every machine.
const CHROMIUM_PACKAGES: [&str; 2] = ["chromium", "fonts-liberation"];
/// The demo ends by itself, should nobody end it.
const DEMO_SECONDS: u32 = 1_800;

/// Without arguments, the harness's test of itself; with `demo`, the pages of `stoop demo`; with a URL, those of a server
/// that runs.
///
/// # Errors
/// If a program is missing and cannot be installed, or the server does not start.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<TestTally> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (what, screenshots) = match arguments[..] {
        [] => return self_test(project),
        ["demo", "--pictures"] => return pictures(project),
        [what] => (what, None),
        [what, "--screenshots", folder] => (what, Some(Path::new(folder))),
        _ => bail!(
            "accepted: nothing, `demo` or a URL, the latter two also with `--screenshots DIR`, `demo` with `--pictures`"
        ),
    };
    match what {
        "demo" => demo(project, screenshots),
        url if url.starts_with("http") => {
            let harness = Harness::new(project)?;
            let mut tally = harness.pages(url, screenshots)?;
            tally += project.counted(harness.program("journeys.mjs").args(["--base", url]))?;
            Ok(tally)
        }
        other => bail!("{other}: accepted is `demo` or http://HOST:PORT/"),
    }
}

/// Tests that the checks and the journeys find what is planted.
///
/// # Errors
/// If a program is missing and cannot be installed, or none of the tests ran.
pub(crate) fn self_test(project: &Project) -> Result<TestTally> {
    project.counted(&mut Harness::new(project)?.program("self-test.mjs"))
}

/// The pages of `stoop demo`, and the journeys on them: the last one stops the demo and starts another at its address.
///
/// # Errors
/// As for [`run`]; also if the demo prints no address.
pub(crate) fn demo(project: &Project, screenshots: Option<&Path>) -> Result<TestTally> {
    let harness = Harness::new(project)?;
    with_demo(&harness, |server, start| {
        let mut tally = harness.pages(server.base(), screenshots)?;
        let stop = format!("kill {}", server.id());
        let mut journeys = harness.program("journeys.mjs");
        tally +=
            project.counted(journeys.args(["--base", server.base(), "--tours", "--stop", &stop, "--start", start]))?;
        Ok(tally)
    })
}

/// Takes the pictures of `docs/TOURS.md` anew.
fn pictures(project: &Project) -> Result<TestTally> {
    let harness = Harness::new(project)?;
    with_demo(&harness, |server, _| {
        let mut journeys = harness.program("journeys.mjs");
        journeys.args(["--base", server.base(), "--tours", "--only", "the tour", "--pictures"]);
        project.counted(journeys.arg(project.root().join(PICTURES)))
    })
}

/// Runs `stoop demo` in a folder of its own, for a test that also gets the command that starts another one at its address.
fn with_demo(harness: &Harness<'_>, test: impl FnOnce(&Server, &str) -> Result<TestTally>) -> Result<TestTally> {
    let stoop = harness.project.built("stoop")?;
    let folder = harness.project.cache().join(format!("browser-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let tested = || {
        let seconds = DEMO_SECONDS.to_string();
        let mut command = harness.project.command(&stoop);
        command.current_dir(&folder).args(["demo", "--seconds", &seconds, "--port", "0"]);
        let server = Server::start(&mut command)?;
        // The first one answers no more before it has left the database.
        let again =
            format!("until {} demo --seconds {seconds} --port {}; do sleep 1; done", quoted(&stoop), server.port()?);
        test(&server, &format!("cd {} && {again}", quoted(&folder)))
    };
    let tested = tested();
    std::fs::remove_dir_all(&folder).with_context(|| format!("can't remove {}", folder.display()))?;
    tested
}

/// A word of a shell's command.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// The programs of `tests/browser` with all that they need.
struct Harness<'p> {
    project: &'p Project,
    node: PathBuf,
    chromium: PathBuf,
    packages: PathBuf,
}

impl<'p> Harness<'p> {
    /// Installs what is missing: Node.js, npm and Chromium on the machine, the packages in the cache.
    fn new(project: &'p Project) -> Result<Self> {
        let node = found_or_installed(project, &["node"], &["nodejs"])?;
        let npm = found_or_installed(project, &["npm"], &["npm"])?;
        let named = std::env::var_os(CHROMIUM).filter(|path| !path.is_empty()).map(PathBuf::from);
        let chromium = named.map_or_else(|| found_or_installed(project, &CHROMIUM_NAMES, &CHROMIUM_PACKAGES), Ok)?;
        Ok(Self { project, node, chromium, packages: packages(project, &npm)? })
    }

    fn program(&self, name: &str) -> Command {
        let mut command = self.project.command(&self.node);
        command.arg(self.project.root().join(HARNESS).join(name));
        command.env("STOOP_BROWSER_PACKAGES", &self.packages).env(CHROMIUM, &self.chromium);
        command
    }

    /// Checks each page of `tests/browser/pages.txt`.
    fn pages(&self, base: &str, screenshots: Option<&Path>) -> Result<TestTally> {
        let mut command = self.program("run.mjs");
        command.args(["--base", base, "--pages"]).arg(self.project.root().join(HARNESS).join("pages.txt"));
        if let Some(folder) = screenshots {
            command.arg("--screenshots").arg(folder);
        }
        self.project.counted(&mut command)
    }
}

fn found_or_installed(project: &Project, names: &[&str], packages: &[&str]) -> Result<PathBuf> {
    if let Some(program) = debian::on_path(names) {
        return Ok(program);
    }
    println!("installing {}", packages.join(" "));
    debian::install(project, packages)?;
    debian::on_path(names).with_context(|| format!("{} brought no {}", packages.join(" "), names.join(" or ")))
}

/// Waits until no other process has the lock.
fn locked(lock: &File) -> Result<()> {
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if began.elapsed() < INSTALLS_WITHIN => {
                std::thread::sleep(Duration::from_millis(200));
            }
            Err(TryLockError::WouldBlock) => {
                bail!("another process has it for {} minutes", INSTALLS_WITHIN.as_secs() / 60)
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
            Ok(()) => return Ok(()),
        }
    }
}

/// The folder with the packages from npm, made once per change of their pins.
fn packages(project: &Project, npm: &Path) -> Result<PathBuf> {
    let harness = project.root().join(HARNESS);
    let mut pins = Vec::new();
    for name in PINS {
        let path = harness.join(name);
        pins.extend(std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))?);
    }
    let hash = hash(project, &pins)?;
    let folder = project.cache().join(format!("browser-{}", hash.get(..12).unwrap_or(&hash)));
    // One process installs, and the others wait. The lock ends with its process.
    let lock = folder.with_added_extension("lock");
    let lock = File::create(&lock).with_context(|| format!("can't make {}", lock.display()))?;
    locked(&lock).context("can't lock the packages from npm")?;
    if folder.join(COMPLETE).exists() {
        return Ok(folder);
    }
    println!("installing the packages of {HARNESS}");
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    for name in PINS {
        std::fs::copy(harness.join(name), folder.join(name)).with_context(|| format!("can't copy {name}"))?;
    }
    let mut install = project.command(npm);
    install.current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    within(project, "npm ci", INSTALLS_WITHIN, |project| project.plain(&mut install))?;
    std::fs::write(folder.join(COMPLETE), "").context("can't note that the packages are complete")?;
    Ok(folder)
}
