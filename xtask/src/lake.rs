//! The lake, a workspace of its own with programs in Python: `lake/check`, and what Rust's tools say of its crates.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::console::{self, Provided};
use crate::debian;
use crate::project::Project;
use crate::tally::TestTally;

const MANIFEST: &str = "lake/Cargo.toml";
/// What `lake/setup` writes last.
const COMPLETE: &str = ".stoop-lake";
/// Where Debian's packages have PostgreSQL.
const POSTGRESQL: &str = "/usr/lib/postgresql";

/// # Errors
/// If a program is missing and cannot be installed, if format or clippy complain, or if the check ends without a result.
pub(crate) fn check(project: &Project) -> Result<TestTally> {
    if !Path::new(POSTGRESQL).is_dir() && debian::on_path(&["initdb"]).is_none() {
        debian::install(project, &["postgresql"])?;
    }
    if debian::on_path(&["ip"]).is_none() {
        debian::install(project, &["iproute2"])?;
    }
    let (target, venv) = (target(project), venv(project));
    let cargo = |arguments: &[&str]| {
        let mut cargo = project.cargo(arguments);
        cargo.env("CARGO_TARGET_DIR", &target);
        cargo
    };
    project.plain(&mut cargo(&["fmt", "--all", "--check", "--manifest-path", MANIFEST]))?;
    let clippy =
        ["clippy", "--manifest-path", MANIFEST, "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    project.plain(&mut cargo(&clippy))?;
    let stoop = project.built("stoop")?;
    let mut check = project.command("lake/check");
    check.env("CARGO_TARGET_DIR", &target).env("STOOP_BIN", &stoop).env("STOOP_LAKE_VENV", &venv);
    // Both its parts and their sum are in its output.
    let mut tally = project.summed(&mut check)?;
    tally += console::check(project, &provided(&stoop, &target, &venv), false)?;
    Ok(tally)
}

/// What the lake's blocks in the pages run with, if its environment was made: builds `stoop-lake`.
///
/// # Errors
/// If it cannot be built.
pub(crate) fn built<'v>(project: &Project, stoop: &Path, venv: &'v Path) -> Result<Option<Provided<'v>>> {
    if !venv.join(COMPLETE).exists() {
        return Ok(None);
    }
    let target = target(project);
    let mut cargo =
        project.cargo(&["build", "--locked", "--quiet", "--manifest-path", MANIFEST, "--package", "stoop-lake"]);
    project.plain(cargo.env("CARGO_TARGET_DIR", &target))?;
    Ok(Some(provided(stoop, &target, venv)))
}

fn provided<'v>(stoop: &Path, target: &Path, venv: &'v Path) -> Provided<'v> {
    let programs = stoop.parent().map(Path::to_owned).into_iter().chain([target.join("debug")]).collect();
    Provided { programs, lake: Some(venv) }
}

/// The folder into which Cargo builds the lake.
fn target(project: &Project) -> PathBuf {
    project.cache().join("lake-target")
}

/// The Python environment of the lake.
pub(crate) fn venv(project: &Project) -> PathBuf {
    project.cache().join("lake-venv")
}
