//! Tools of the gate that are not part of Rust. Installs each in its pinned version into the cache.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::tally::TestTally;
use crate::watch::{INSTALLS_WITHIN, within};

const DENY: (&str, &str) = ("cargo-deny", "0.20.2");
const FUZZ: (&str, &str) = ("cargo-fuzz", "0.13.2");
const MACHETE: (&str, &str) = ("cargo-machete", "0.9.2");
const NEXTEST: (&str, &str) = ("cargo-nextest", "0.9.143");

/// Environment variable with a folder or repository in the form of RustSec's advisory-db.
const DATABASE: &str = "STOOP_ADVISORY_DB";
/// Name of cargo-deny's clone of `https://github.com/RustSec/advisory-db`.
const CLONE: &str = "advisory-db-3157b0e258782691";
/// Without an answer for so long, GitHub cannot be reached.
const FETCHES_WITHIN: Duration = Duration::from_mins(5);

/// Each tool runs for seconds, and its build takes minutes.
const QUICKLY_BUILT: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
];

/// Returns the program's path. Each version has its own folder, so that an upgrade is an installation.
fn installed(project: &Project, (name, version): (&str, &str)) -> Result<PathBuf> {
    let root = project.cache().join("tools").join(format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if program.exists() {
        return Ok(program);
    }
    let plugin = name.trim_start_matches("cargo-");
    if let Ok(said) = project.output(project.command(name).args([plugin, "--version"]))
        && said.split_whitespace().any(|word| word == version)
    {
        return Ok(name.into());
    }
    println!("installing {name} {version}");
    let mut install = project.cargo(&["install", "--locked", "--quiet", "--version", version, name, "--root"]);
    let build = project.cache().join("tools/build");
    install.arg(&root).env("CARGO_TARGET_DIR", &build).env_remove("CARGO_BUILD_BUILD_DIR").envs(QUICKLY_BUILT);
    within(project, name, INSTALLS_WITHIN, |project| project.plain(&mut install))?;
    std::fs::remove_dir_all(&build).with_context(|| format!("can't remove {}", build.display()))?;
    Ok(program)
}

/// # Errors
/// If it is missing and cannot be installed.
pub(crate) fn machete(project: &Project) -> Result<PathBuf> {
    installed(project, MACHETE)
}

/// Runs libFuzzer targets: `PROGRAM fuzz run TARGET`.
///
/// # Errors
/// If it is missing and cannot be installed.
pub(crate) fn fuzz(project: &Project) -> Result<PathBuf> {
    installed(project, FUZZ)
}

/// The test runner: `PROGRAM nextest run`.
///
/// # Errors
/// If it is missing and cannot be installed.
pub(crate) fn nextest(project: &Project) -> Result<PathBuf> {
    installed(project, NEXTEST)
}

/// Checks the rules of `deny.toml` for licenses, crates and their sources.
///
/// # Errors
/// If a rule is violated.
pub(crate) fn licences(project: &Project) -> Result<TestTally> {
    let deny = installed(project, DENY)?;
    project.plain(project.command(deny).args([
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]))
}

/// Checks the crates in the lock file for known vulnerabilities, with the database in `STOOP_ADVISORY_DB` and no
/// network, otherwise with the one on GitHub. If neither is available, prints a warning and passes.
///
/// # Errors
/// If there is a vulnerability, or if the named database cannot be read.
pub(crate) fn advisories(project: &Project) -> Result<TestTally> {
    let deny = installed(project, DENY)?;
    if let Some(folder) = std::env::var_os(DATABASE).filter(|folder| !folder.is_empty()) {
        return check_with(project, &deny, Path::new(&folder));
    }
    let fetch = |project: &Project| project.output(project.command(&deny).args(["fetch", "db"]));
    if within(project, "cargo-deny fetch db", FETCHES_WITHIN, fetch).is_ok() {
        return project.plain(project.command(&deny).args(["--locked", "--offline", "check", "advisories"]));
    }
    println!("##############################################################################################");
    println!("# ADVISORIES NOT CHECKED: RustSec's database does not answer from here, and {DATABASE} names");
    println!("# no folder with a copy of it. Nothing is known of vulnerabilities in the crates of Cargo.lock.");
    println!("##############################################################################################");
    Ok(TestTally::default())
}

/// Checks with a database in a folder. cargo-deny reads only git repositories, and expects RustSec's under a certain
/// name: copies the folder there, and makes it a repository if needed.
fn check_with(project: &Project, deny: &Path, folder: &Path) -> Result<TestTally> {
    let folder = project.root().join(folder);
    anyhow::ensure!(
        folder.join("crates").is_dir(),
        "{DATABASE} is {}: accepted is a folder like RustSec's advisory-db, with a folder `crates` in it",
        folder.display()
    );
    let work = project.cache().join(format!("advisories-{}", std::process::id()));
    let checked = check_in(project, deny, &folder, &work);
    if work.exists() {
        std::fs::remove_dir_all(&work).with_context(|| format!("can't remove {}", work.display()))?;
    }
    checked
}

fn check_in(project: &Project, deny: &Path, folder: &Path, work: &Path) -> Result<TestTally> {
    std::fs::create_dir_all(work).with_context(|| format!("can't make {}", work.display()))?;
    let database = work.join(CLONE);
    project.output(project.command("cp").arg("-R").arg(folder).arg(&database))?;
    let git = |arguments: &[&str]| {
        let mut git = project.command("git");
        git.current_dir(&database).args(["-c", "user.name=stoop", "-c", "user.email=stoop@localhost"]);
        project.output(git.args(arguments))
    };
    if !database.join(".git").exists() {
        git(&["init", "--quiet", "--initial-branch=main"])?;
        git(&["add", "--all"])?;
        git(&["commit", "--quiet", "--no-gpg-sign", "--message=advisories"])?;
    }
    // `deny.toml` with this database.
    let reported = project.root().join("deny.toml");
    let reported = std::fs::read_to_string(&reported).with_context(|| format!("can't read {}", reported.display()))?;
    let config = work.join("deny.toml");
    let text = format!("{reported}\n[advisories]\ndb-path = {:?}\n", work.display().to_string());
    std::fs::write(&config, text).with_context(|| format!("can't write {}", config.display()))?;
    let mut check = project.command(deny);
    check.args(["--locked", "--offline", "--config"]).arg(&config);
    project.plain(check.args(["check", "--hide-inclusion-graph", "advisories"]))
}

/// Tests the check: it must fail with a database that contains a vulnerability in one of our crates, and pass with one
/// that does not.
///
/// # Errors
/// If it does not.
pub(crate) fn advisories_find_a_hit(project: &Project) -> Result<TestTally> {
    let deny = installed(project, DENY)?;
    let work = project.cache().join(format!("made-advisories-{}", std::process::id()));
    let found = advisories_of(project, &deny, &work);
    std::fs::remove_dir_all(&work).with_context(|| format!("can't remove {}", work.display()))?;
    found
}

fn advisories_of(project: &Project, deny: &Path, work: &Path) -> Result<TestTally> {
    for (crate_name, is_hit) in [("serde_json", true), ("a-crate-that-nobody-uses", false)] {
        let folder = work.join(crate_name);
        let of_crate = folder.join("crates").join(crate_name);
        std::fs::create_dir_all(&of_crate).with_context(|| format!("can't make {}", of_crate.display()))?;
        std::fs::write(of_crate.join("RUSTSEC-2026-0001.md"), advisory(crate_name))?;
        let passed = match check_with(project, deny, &folder) {
            Ok(_) => true,
            Err(error) if format!("{error:#}").contains("ended with") => false,
            Err(error) => return Err(error),
        };
        anyhow::ensure!(
            passed != is_hit,
            "an advisory against {crate_name}: the check {}",
            if passed { "passed" } else { "failed" }
        );
    }
    println!("a hit fails, and a database without one passes");
    Ok(TestTally::default())
}

fn advisory(crate_name: &str) -> String {
    format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"{crate_name}\"\ndate = \"2026-01-01\"\n\
         [versions]\npatched = []\n```\n\n# Made for a test\n\nIt says nothing of the crate.\n"
    )
}
